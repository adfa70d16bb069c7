"""Which part a row belongs to, from its event time or from a hash. Pure functions; parts are 0, 1, 2, none is -1."""

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from dagster_project.data.digests import hash_rows
from dagster_project.domain.errors import UsageError
from dagster_project.domain.spec import GroupSplit, StratifiedSplit, TimeSplit

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

TRAIN, VALIDATION, HOLDOUT, NONE = 0, 1, 2, -1
_MICROSECOND = timedelta(microseconds=1)


def time_parts(times: "pl.Series", split: TimeSplit) -> "np.ndarray":
    """Part of each row, int8 of shape (rows,). ``times``: timestamps or dates, no nulls.

    Durations count back from the latest time (holdout) and from the holdout's gap (validation); shares are shares of
    the rows. A boundary is a time, so rows of one time are never parted.
    """
    import numpy as np

    stamps = _microseconds(times)
    ordered = np.sort(stamps)
    gap = split.gap // _MICROSECOND
    holdout = _start(ordered, len(ordered), split.holdout.size)
    before = ordered[ordered < holdout - gap]
    validation = _start(before, len(ordered), split.validation)
    first = validation - gap - (split.window // _MICROSECOND) if split.window else None
    parts = np.full(len(stamps), NONE, np.int8)
    parts[stamps < validation - gap] = TRAIN
    if first is not None:
        parts[stamps < first] = NONE
    parts[(stamps >= validation) & (stamps < holdout - gap)] = VALIDATION
    parts[stamps >= holdout] = HOLDOUT
    return parts


def _start(ordered: "np.ndarray", total: int, size: float | timedelta) -> int:
    """The first time of the part that ends ``ordered``: a duration long, or so many of ``total`` rows and ties."""
    if not len(ordered):
        return 0
    if isinstance(size, timedelta):
        return int(ordered[-1]) - size // _MICROSECOND + 1
    return int(ordered[max(0, len(ordered) - math.ceil(size * total))])


def _microseconds(times: "pl.Series") -> "np.ndarray":
    import polars as pl

    return times.cast(pl.Datetime("us")).to_physical().to_numpy()


def hash_parts(keys: "pl.DataFrame", split: GroupSplit | StratifiedSplit) -> "np.ndarray":
    """Part of each row, int8 of shape (rows,), from a hash of its key and the seed.

    The hash doesn't look at the class, so each class is shared out in the same proportions up to chance, and a row
    whose label is corrected doesn't change sides.

    Raises:
        UsageError: the holdout is a duration, which a split without time doesn't have.
    """
    import numpy as np
    import polars as pl

    hashes = hash_rows(keys.with_columns(pl.lit(split.seed, dtype=pl.Int64).alias("_seed")))
    place = hashes / np.float64(2**64)
    parts = np.full(len(hashes), TRAIN, np.int8)
    holdout = split.holdout.size
    if isinstance(holdout, timedelta):
        raise UsageError(f"a split by {split.by} takes a share for its holdout, not the duration {holdout}.")
    parts[place < holdout + split.validation] = VALIDATION
    parts[place < holdout] = HOLDOUT
    return parts
