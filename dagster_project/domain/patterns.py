"""Patterns have to mean the same to ECMA-262, Python and Rust's regex crate, which is what runs them on the rows."""

import math
import re
import warnings

MAX_LENGTH = 500
MAX_REPEATS = 10_000

_PLAIN = re.compile(r"\\[^0-9ZkGK]|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_FOREIGN = {
    "a lookahead or lookbehind": re.compile(r"\(\?<?[=!]"),
    "a backreference": re.compile(r"\\[1-9k]|\(\?P="),
    "an atomic group or a condition": re.compile(r"\(\?[>(]"),
    "a possessive repeat": re.compile(r"[*+?}]\+"),
    "an escape that Rust does not know": re.compile(r"\\[0ZGK]"),
}
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")


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
    simple = _PLAIN.sub("x", pattern)
    for what, found in _FOREIGN.items():
        if found.search(simple):
            return f"`{pattern}` uses {what}, which Rust's regex does not have.", "Say it without, or as two rules."
    repeats = math.prod(int(most or least) or 1 for least, most in _REPEAT.findall(simple))
    if repeats > MAX_REPEATS:
        return f"`{pattern}` repeats {repeats:,} times.", f"At most {MAX_REPEATS:,} in all."
    return None
