"""Patterns have to mean the same to ECMA-262, Python and Rust's regex crate, which is what runs them on the rows."""

import re
import warnings

MAX_LENGTH = 500
MAX_SIZE = 600

_CLASS = re.compile(r"(?<!\\)((?:\\\\)*)\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = "dDsSwWbBnrtfvaAxuU"  # escapes of letters that mean the same to all three
_FOREIGN = {
    "a lookahead or lookbehind": re.compile(r"\(\?<?[=!]"),
    "a reference to a group": re.compile(r"\(\?P="),
    "a group or flag": re.compile(r"\(\?(?!:|P<|[imsx]*(?:-[imsx]+)?[):])"),
    "a possessive repeat": re.compile(r"[*+?}]\+"),
    "a brace that is no repeat": re.compile(r"\{(?!\d+(?:,\d*)?\})"),
}
_TOKEN = re.compile(r"\{(\d+)(?:,(\d*))?\}|(.)", re.DOTALL)


def pattern_fault(pattern: str) -> tuple[str, str] | None:
    """What is wrong with a pattern, and what to do; None when it may be run."""
    if len(pattern) > MAX_LENGTH:
        return f"the pattern is longer than {MAX_LENGTH} characters.", "Use `enum` for a list of values."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # "possible nested set": Rust reads it differently
            re.compile(pattern)
    except (re.error, FutureWarning, RecursionError, OverflowError) as error:
        return f"`{pattern}` is not a regular expression: {error}.", "Escape characters that are meant literally."
    for escape in _ESCAPE.findall(pattern):
        if not escape.isascii() or escape in "<>" or (escape.isalnum() and escape not in _LETTERS):
            what = "a backreference or an octal number" if escape.isdigit() else "an escape"
            return f"`{pattern}` uses `\\{escape}`, {what} that Rust's regex does not have.", "Say it without."
    for found in _CLASS.finditer(pattern):
        inner = found.group().removeprefix(found.group(1))[1:]
        if "\\b" in inner or "[" in _ESCAPE.sub("x", inner):
            return f"`{pattern}` has `\\b` or `[` within a class, which Rust's regex reads differently.", "Write `\\[`."
    simple = _ESCAPE.sub("x", _CLASS.sub(r"\1x", pattern))
    for what, foreign in _FOREIGN.items():
        if foreign.search(simple):
            return f"`{pattern}` uses {what} that Rust's regex does not have.", "Say it without, or as two rules."
    if (size := _size(simple)) > MAX_SIZE:
        return f"`{pattern[:80]}` is {size:,} characters long when its repeats are written out.", "Repeat less."
    return None


def _size(simple: str) -> int:
    """Length of a pattern with its ``{n,m}`` written out, ``m`` times: what Rust's compiled program grows with."""
    sizes, last = [0], 0
    for least, most, character in _TOKEN.findall(simple):
        if character == "(":
            sizes.append(0)
        elif character == ")":
            last = sizes.pop()
            sizes[-1] += last
        elif character:
            last = 1
            sizes[-1] += 1
        else:
            times = max(1, int(most or least))
            sizes[-1] += last * (times - 1)
            last *= times
    return sum(sizes)
