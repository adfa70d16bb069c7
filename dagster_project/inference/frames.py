"""From a polars frame of contract columns to the tensors that an exported graph takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_project.domain.bundle import Input
from dagster_project.domain.errors import RefusedError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


def tensors(frame: "pl.DataFrame", inputs: Sequence[Input]) -> "dict[str, np.ndarray]":
    """One (rows, 1) array an input: float32 with NaN for null, or text with "" for null.

    Integers and booleans become float32; a boolean that the graph takes as text becomes "true" or "false".
    Raises RefusedError naming every column that is absent or of a type that fits no tensor.
    """
    wrong = [text for entry in inputs if (text := _problem(frame, entry))]
    if wrong:
        raise RefusedError("\n".join(wrong))
    return {entry.name: _tensor(frame.get_column(entry.name), entry) for entry in inputs}


def _problem(frame: "pl.DataFrame", entry: Input) -> str:
    import polars as pl

    if entry.name not in frame.columns:
        return f"the model takes the column {entry.name!r}, which the dataset does not have; build it again"
    dtype = frame.schema[entry.name]
    fits = dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)
    if entry.dtype == "string":
        fits = fits or dtype in (pl.String, pl.Categorical) or dtype == pl.Enum
    return (
        ""
        if fits
        else f"the column {entry.name!r} is {dtype}, which makes no {entry.dtype} tensor; derive one that does"
    )


def _tensor(column: "pl.Series", entry: Input) -> "np.ndarray":
    import numpy as np
    import polars as pl

    if entry.dtype == "string":
        return column.cast(pl.String).fill_null("").to_numpy().astype(object).reshape(-1, 1)
    numbers = column.cast(pl.Float64).to_numpy()  # null becomes NaN
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32).reshape(-1, 1)
