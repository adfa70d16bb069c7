"""Other people's text made safe to show: names, values and messages come from pull requests and are hostile.

``plain`` goes first everywhere; Markdown and mermaid then add their own escapes, Jinja2 escapes HTML by itself.
"""

import re
import unicodedata

WORD_JOINER = "\u2060"
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_ENTITY = re.compile(r"&(?=[#\w])|[<`*~|\\\[\]#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|://")
_LINE_START = re.compile(r"^(\d{0,9})(>|[+-](?=[\s-]|$)|(?<=\d)[.)](?=\s|$))")
_REFERENCE = re.compile(r"@|#(?=\w)|(?<=www)\.|(?i:(?<=GH)-(?=\d))")


def plain(text: object, limit: int = 400) -> str:
    """One line of at most ``limit`` characters; controls, ANSI and bidirectional marks become visible escapes."""
    line = " ".join(str(text).split())
    shown = "".join(_visible(character) for character in line[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def block(text: str, limit: int = 20_000) -> str:
    """Like :func:`plain`, line breaks and indentation kept: diffs."""
    cut = text if len(text) <= limit else text[:limit] + "\n… cut"
    lines = cut.replace("\r\n", "\n").split("\n")
    return "\n".join("".join(_visible(c) for c in line.expandtabs(4)) for line in lines)


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def markdown(text: object, limit: int = 400) -> str:
    """Text that GitHub-flavoured Markdown shows as it is, in a paragraph, a list or a table cell.

    Punctuation becomes entities, which CommonMark never reads as structure (section 2.5). Mentions, issue references
    and bare links are found later, in the text itself: a word joiner breaks them.
    """
    line = plain(text, limit)
    if line.count("$") > 1:  # GitHub's own way to keep dollars out of formulas
        return "<span>$</span>".join(_escaped(part) for part in line.split("$"))
    return _LINE_START.sub(lambda m: m[1] + _entities(m[2]), _escaped(line))


def _escaped(line: str) -> str:
    held = _REFERENCE.sub(lambda m: m[0] + WORD_JOINER, line)
    return _ENTITY.sub(lambda m: _entities(m[0]) if m[0] != "://" else f"&#58;{WORD_JOINER}//", held)


def _entities(text: str) -> str:
    return "".join(f"&#{ord(character)};" for character in text)


def fence(text: str, language: str, limit: int = 20_000) -> str:
    """A fenced block, its fence longer than any run of backticks inside."""
    body = block(text, limit).rstrip("\n")
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", body)), default=0))
    return f"{ticks}{language}\n{body}\n{ticks}"


def mermaid(text: object, limit: int = 40) -> str:
    """A quoted mermaid label: letters, digits and harmless punctuation only, as its grammar has no safe escape."""
    kept = re.sub(r"[^\w .,:+=/-]", " ", plain(text, limit))
    return '"' + (" ".join(kept.split()) or "-") + '"'
