"""From a polars frame of contract columns to the tensors that an exported graph takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_project.data.images import ImageError, pixels_of
from dagster_project.domain.bundle import Input
from dagster_project.domain.contract import ImageForm
from dagster_project.domain.errors import RefusedError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


def tensors(frame: "pl.DataFrame", inputs: Sequence[Input]) -> "dict[str, np.ndarray]":
    """One (rows, width) array an input: float32 with NaN for null, or text with "" for null.

    An image is a file, and black where it is null; or the list of its pixels, as the prediction log has it.

    Integers and booleans become float32; a boolean that the graph takes as text becomes "true" or "false".
    Raises RefusedError naming every column that is absent or of a type that fits no tensor, or the first row whose
    image or window is not of the input's shape.
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
    if entry.shape:
        wide = (pl.Binary, pl.List) if entry.modality == "image" else (pl.List,)
        fits = dtype == pl.Null or dtype in wide
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

    if entry.shape:
        return _wide(column, entry)
    if entry.dtype == "string":
        return column.cast(pl.String).fill_null("").to_numpy().astype(object).reshape(-1, 1)
    numbers = column.cast(pl.Float64).to_numpy()  # null becomes NaN
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32).reshape(-1, 1)


def _wide(column: "pl.Series", entry: Input) -> "np.ndarray":
    import numpy as np
    import polars as pl

    if entry.modality == "image" and not isinstance(column.dtype, pl.List):
        try:
            return pixels_of(column.cast(pl.Binary), ImageForm.of(entry.shape)).astype(np.float32)
        except ImageError as error:
            raise RefusedError(f"the column {entry.name!r}: {error}; the contract's rules keep such rows out") from None
    lengths = column.cast(pl.List(pl.Float64)).list.len()
    if not (lengths.drop_nulls() == entry.width).all():
        odd = (lengths != entry.width).fill_null(False).arg_max()
        message = f"the column {entry.name!r}: row {odd} has {lengths[odd or 0]} steps, not {entry.width}"
        raise RefusedError(f"{message}; the contract's rules keep such rows out")
    rows = np.full((len(column), entry.width), np.nan, np.float32)
    there = column.is_not_null().to_numpy()
    flat = column.drop_nulls().cast(pl.List(pl.Float64)).explode()
    with np.errstate(over="ignore"):
        rows[there] = flat.to_numpy().astype(np.float32).reshape(-1, entry.width)
    return rows
