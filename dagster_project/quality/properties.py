"""What a text, an image or a window is like in numbers, for checks that look at columns of numbers.

The thing itself is hardly there twice; its properties are.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from dagster_project.data.images import pixels_of
from dagster_project.domain.contract import Column

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

WORD = r"[\p{L}\p{N}_]+"
SHARES = {"share of capitals": r"\p{Lu}", "share of digits": r"\p{N}", "share of symbols": r"[^\p{L}\p{N}\s]"}
"""What is counted as a share of all characters; 0 of an empty text."""
TEXT = ("characters", "characters a word", *SHARES)
"""More words are more characters, so how long they are is what they add."""
GREY, COLOURS = ("brightness", "contrast", "sharpness"), ("red", "green", "blue")
SERIES = ("mean", "deviation", "last step above mean", "roughness", "share missing")


def properties(frame: "pl.DataFrame", columns: Iterable[Column]) -> "pl.DataFrame":
    """A column ``COLUMN: PROPERTY`` for each property of each column, as Float64; null of what is missing.

    Images are files as in a snapshot, or lists of their pixels as in the prediction log.
    """
    import polars as pl

    found = [each for column in columns for each in _of(frame[column.name], column)]
    return pl.DataFrame(found)


def property_names(column: Column) -> list[str]:
    """What the properties of a column are called."""
    if column.image:
        own: tuple[str, ...] = GREY if column.image.channels == 1 else (*GREY, *COLOURS)
    else:
        own = SERIES if column.series else TEXT
    return [f"{column.name}: {name}" for name in own]


def identities(series: "pl.Series") -> "pl.Series":
    """Text that is equal where images or windows are: for checks that ask whether rows are the same."""
    import polars as pl

    if series.dtype not in (pl.Binary, pl.List):
        return series
    return pl.Series(series.name, [None if value is None else _digest(value) for value in series.to_list()])


def _digest(value: Any) -> str:
    return blake2b(value if isinstance(value, bytes) else repr(value).encode(), digest_size=16).hexdigest()


def _of(series: "pl.Series", column: Column) -> "list[pl.Series]":
    import polars as pl

    names = property_names(column)
    if not column.shape:
        return _of_texts(series, names)
    numbers = _images(series, column) if column.image else _windows(series, column)
    there = series.is_not_null().to_numpy()
    made = [pl.Series(name, values, pl.Float64, nan_to_null=True) for name, values in zip(names, numbers, strict=True)]
    return [each.set(pl.Series(~there), None) for each in made]


def _of_texts(series: "pl.Series", names: list[str]) -> "list[pl.Series]":
    import polars as pl

    text, length = pl.col(series.name), pl.col(series.name).str.len_chars()
    words = pl.max_horizontal(text.str.count_matches(WORD), pl.lit(1))
    characters = pl.max_horizontal(length, pl.lit(1))
    found = [length, text.str.count_matches(r"[\p{L}\p{N}_]") / words]
    found += [text.str.count_matches(expression) / characters for expression in SHARES.values()]
    named = [each.cast(pl.Float64).alias(name) for each, name in zip(found, names, strict=True)]
    return series.to_frame().select(named).get_columns()


def _images(series: "pl.Series", column: Column) -> "list[np.ndarray]":
    """Brightness and contrast of 0 to 255; sharpness is how far neighbouring pixels are apart (mean)."""
    import numpy as np
    import polars as pl

    form = column.image
    assert form is not None
    pixels = pixels_of(series, form) if series.dtype == pl.Binary else _matrix(series, column)
    images = pixels.reshape(len(series), form.height, form.width, form.channels).astype(np.float32)
    grey = images.mean(axis=3)
    edges = [np.abs(np.diff(grey, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2)]
    neighbours = max(1, (form.height - 1) * form.width + form.height * (form.width - 1))
    found = [grey.mean(axis=(1, 2)), grey.std(axis=(1, 2)), (edges[0] + edges[1]) / neighbours]
    return found if form.channels == 1 else found + [images[..., colour].mean(axis=(1, 2)) for colour in range(3)]


def _windows(series: "pl.Series", column: Column) -> "list[np.ndarray]":
    """Of the steps that are there; roughness is how far neighbouring steps are apart (mean)."""
    import warnings

    import numpy as np

    steps = _matrix(series, column)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a window with no step every number is missing
        mean = np.nanmean(steps, axis=1)
        numbers = [mean, np.nanstd(steps, axis=1), steps[:, -1] - mean]
        numbers.append(np.nanmean(np.abs(np.diff(steps, axis=1)), axis=1))
    return [*numbers, np.isnan(steps).mean(axis=1)]


def _matrix(series: "pl.Series", column: Column) -> "np.ndarray":
    """Lists of numbers as (rows, width); a missing one is NaN."""
    import numpy as np

    width = int(np.prod(column.shape))
    rows = np.full((len(series), width), np.nan)
    for place, values in enumerate(series.to_list()):
        if values is not None:
            rows[place] = [np.nan if value is None else value for value in values]
    return rows
