"""Whether two runs of one dataset gave the same rows, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_COUNT = "_rows"
_AGAIN = "_again"


@dataclass(frozen=True)
class Change:
    """Rows of the second run against those of the first, by id; ``columns`` in which rows of one id differ."""

    others: int
    gone: int
    new: int
    columns: tuple[str, ...]

    @property
    def rows(self) -> int:
        """All that differ."""
        return self.others + self.gone + self.new


def change_between(once: pl.DataFrame, again: pl.DataFrame, ids: Sequence[str]) -> Change:
    """What differs between two frames of the same columns; order doesn't count, repetitions do.

    Numbers are compared as the float32 that a model reads: sums that are added up in another order stay the same, and
    nothing smaller could tell a model anything.
    """
    first, second = _counted(once), _counted(again)
    gone = first.join(second, on=first.columns, how="anti", nulls_equal=True)
    new = second.join(first, on=first.columns, how="anti", nulls_equal=True)
    pairs = gone.join(new, on=ids, how="inner", suffix=_AGAIN)
    columns = [name for name in once.columns if name not in ids]
    differing = tuple(name for name in columns if pairs[name].ne_missing(pairs[f"{name}{_AGAIN}"]).any())
    left, come = (frame.join(pairs, on=ids, how="anti").height for frame in (gone, new))
    return Change(gone.height - left, left, come, differing)


def _counted(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    narrowed = frame.with_columns(pl.selectors.float().cast(pl.Float32))
    return narrowed.group_by(frame.columns).agg(pl.len().alias(_COUNT))
