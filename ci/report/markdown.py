"""The report as a pull request comment in GitHub-flavoured Markdown, charts as mermaid, at most 65,536 bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

from dagster_project.domain.verdict import Outcome

from . import diagrams
from .document import Cell, Document, Part, Table
from .text import fence, markdown

LIMIT = 65_536
MARKER = "<!-- threeacts report -->"
ROWS = 40
BULLETS = 30
DIFF = 6_000
ENDINGS = {"planned": "⏳", "passed": "✅", "failed": "❌", "refused": "❌", "wrong": "❌", "broken": "💥"}
MARKS = {
    Outcome.PASSED: "✅ passed",
    Outcome.FAILED: "❌ failed",
    Outcome.WARNED: "⚠️ warned",
    Outcome.NOT_APPLICABLE: "➖ not applicable",
    Outcome.BROKEN: "💥 broken",
}
ELSEWHERE = "The HTML page beside this report has them all."


@dataclass(frozen=True)
class Section:
    """A stretch of text that stays or goes as a whole."""

    title: str
    rank: int
    text: str


def render(document: Document, limit: int = LIMIT) -> str:
    """The comment; when it would be longer than ``limit`` bytes the least important parts go, and it says which."""
    head = _head(document)
    sections = [section for part in document.parts for section in _sections(part, 2)]
    kept = _fitting(sections, limit - len(head.encode()) - 600)
    text = head + "".join(section.text for section in kept)
    gone = [section.title for section in sections if section not in kept]
    return text + _left_out(gone) if gone else text


def _head(document: Document) -> str:
    facts = " · ".join(f"{markdown(label)} {markdown(value)}" for label, value in document.facts)
    headline = f"## {ENDINGS[document.ending]} {markdown(document.headline, 1200)}"
    return f"{MARKER}\n{headline}\n\n{facts}\n"


def _fitting(sections: list[Section], room: int) -> list[Section]:
    """Sections that fit, the most important first, then back in the document's order."""
    kept = set()
    for index in sorted(range(len(sections)), key=lambda i: (sections[i].rank, i)):
        size = len(sections[index].text.encode())
        if size <= room:
            kept.add(index)
            room -= size
    return [section for index, section in enumerate(sections) if index in kept]


def _left_out(titles: list[str]) -> str:
    names = ", ".join(dict.fromkeys(markdown(title, 60) for title in titles[:8]))
    more = f" and {len(titles) - 8} more" if len(titles) > 8 else ""
    return f"\n> Left out, because a comment holds {LIMIT:,} characters: {names}{more}. {ELSEWHERE}\n"


def _sections(part: Part, level: int) -> Iterator[Section]:
    """The part's own text, then each inner part as a section of its own; folded parts keep theirs inside."""
    own = _body(part)
    if part.folded:
        yield Section(part.title, part.rank, _folded(part, own))
        return
    mark = f": {MARKS[part.mark]}" if part.mark else ""
    yield Section(part.title, part.rank, f"\n{'#' * (level + 1)} {markdown(part.title)}{mark}\n{own}")
    for inner in part.parts:
        yield from _sections(inner, level + 1)


def _folded(part: Part, body: str) -> str:
    return f"\n<details><summary>{markdown(part.title)}</summary>\n{body}\n</details>\n"


def _body(part: Part) -> str:
    pieces = [markdown(sentence, 800) for sentence in part.sentences]
    pieces += [_bullets(part.bullets)] if part.bullets else []
    pieces += [_table(table) for table in part.tables]
    pieces += [diagram for chart in part.charts if (diagram := diagrams.render(chart))]
    pieces += [fence(part.diff, "diff", DIFF)] if part.diff else []
    pieces += [f"{markdown(label)}: `{path}` beside the report" for label, path in part.links if "`" not in path]
    pieces += ["\n".join(f"- [{markdown(label)}]({page})" for label, page in part.pages)] if part.pages else []
    return "".join(f"\n{piece}\n" for piece in pieces)


def _bullets(bullets: tuple[str, ...]) -> str:
    lines = [f"- {markdown(bullet, 600)}" for bullet in bullets[:BULLETS]]
    if len(bullets) > BULLETS:
        lines.append(f"- and {len(bullets) - BULLETS} more. {ELSEWHERE}")
    return "\n".join(lines)


def _table(table: Table) -> str:
    rules = ["--:" if index in table.numeric else "---" for index in range(len(table.columns))]
    rows = [[_cell(cell) for cell in row] for row in table.rows[:ROWS]]
    lines = [[markdown(column) for column in table.columns], rules, *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    hidden = len(table.rows) - ROWS
    return f"{text}\n\n… and {hidden} more rows. {ELSEWHERE}" if hidden > 0 else text


def _cell(cell: Cell) -> str:
    return MARKS[cell] if isinstance(cell, Outcome) else markdown(cell, 300)
