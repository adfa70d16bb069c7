"""Rows of a file that is larger than memory: a bounded part of them, the same one each time, spread over all of it."""

from typing import TYPE_CHECKING

from dagster_project.training.preparation import MAX_CATEGORIES

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

LEAST, MOST = 1000, 250_000
_RAW_BYTES = 100  # of a value on its way from the file to the preparation, text included


def sampled_rows(memory: int, numbers: int, texts: int) -> int:
    """How many rows may be read at once and prepared within a quarter of ``memory`` bytes, whatever the text is."""
    each = (numbers + texts) * _RAW_BYTES + widest(numbers, texts) * 4
    return min(MOST, max(LEAST, memory // 4 // each))


def widest(numbers: int, texts: int) -> int:
    """The most prepared columns that so many numbers and texts become."""
    return numbers + texts * MAX_CATEGORIES


def places(rows: int, wanted: int, seed: int) -> "np.ndarray":
    """Sorted indexes, at most ``wanted``: one drawn from each of as many equal stretches, so that all times are there.

    Depends on the arguments alone (PCG64, which numpy keeps as it is).
    """
    import numpy as np

    if rows <= wanted:
        return np.arange(rows)
    edges = np.linspace(0, rows, wanted + 1).astype(np.int64)
    draws = np.random.Generator(np.random.PCG64(seed)).random(wanted)
    found: np.ndarray = edges[:-1] + (draws * np.diff(edges)).astype(np.int64)
    return found


def take_places(labelled: "pl.LazyFrame", chosen: "np.ndarray") -> "pl.DataFrame":
    """Those rows, in the file's order; the others pass through memory in parts."""
    import polars as pl

    wanted = pl.LazyFrame({"_place": chosen}, schema={"_place": pl.UInt32})
    numbered = labelled.with_row_index("_place")
    return numbered.join(wanted, on="_place", how="semi").sort("_place").drop("_place").collect(engine="streaming")
