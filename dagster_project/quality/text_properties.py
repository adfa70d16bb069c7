"""What a text is like in numbers, for checks that look at columns of numbers: a text itself is never there twice."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

LENGTHS = ("characters", "characters a word")
"""More words are more characters, so how long they are is what they add."""
WORD = r"[\p{L}\p{N}_]+"
SHARES = {"share of capitals": r"\p{Lu}", "share of digits": r"\p{N}", "share of symbols": r"[^\p{L}\p{N}\s]"}
"""What is counted as a share of all characters; 0 of an empty text."""


def text_properties(frame: "pl.DataFrame", columns: Iterable[str]) -> "pl.DataFrame":
    """A column ``COLUMN: PROPERTY`` for each property of each text column, as Float64; null of a missing text."""
    import polars as pl

    return frame.select(
        _property(pl.col(column), name).cast(pl.Float64).alias(named)
        for column in columns
        for name, named in zip((*LENGTHS, *SHARES), property_names(column), strict=True)
    )


def property_names(column: str) -> list[str]:
    """What the properties of a column are called."""
    return [f"{column}: {name}" for name in (*LENGTHS, *SHARES)]


def _property(text: "pl.Expr", name: str) -> "pl.Expr":
    import polars as pl

    length = text.str.len_chars()
    if name == "characters":
        return length
    if name == "characters a word":
        return text.str.count_matches(r"[\p{L}\p{N}_]") / pl.max_horizontal(text.str.count_matches(WORD), pl.lit(1))
    return text.str.count_matches(SHARES[name]) / pl.max_horizontal(length, pl.lit(1))
