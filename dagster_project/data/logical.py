"""The contract's logical types as polars columns, and how text and other types become them.

One canonical column type for each logical type: integers are Int64, numbers Float64, timestamps naive UTC in
microseconds, times ISO text (Delta has no time of day). What can't be cast is counted, never silently nulled.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from dagster_project.domain.contract import Column, LogicalType

if TYPE_CHECKING:
    import polars as pl

ZONED = "%+"
TIMESTAMPS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")
TIMES = ("%H:%M:%S%.f", "%H:%M")


def dtype_of(column: Column) -> "pl.DataType":
    """The type in which snapshots keep the column: images as the files that they are, windows as lists of numbers."""
    import polars as pl

    if column.modality == "image":
        return pl.Binary()
    return {
        LogicalType.STRING: pl.String(),
        LogicalType.DATE: pl.Date(),
        LogicalType.TIMESTAMP: pl.Datetime("us"),
        LogicalType.TIME: pl.String(),
        LogicalType.NUMBER: pl.Float64(),
        LogicalType.INTEGER: pl.Int64(),
        LogicalType.BOOLEAN: pl.Boolean(),
        LogicalType.ARRAY: pl.List(pl.Float64),
    }[column.logical_type]


def accepts(column: Column, dtype: "pl.DataType") -> bool:
    """Whether a typed source's column may stand for ours: the same kind of value, no reading between lines."""
    import polars as pl

    if dtype == pl.Null:
        return True
    if column.modality == "image":
        return dtype in (pl.Binary, pl.String)
    return {
        LogicalType.STRING: lambda: dtype in (pl.String, pl.Categorical, pl.Enum),
        LogicalType.DATE: lambda: dtype == pl.Date,
        LogicalType.TIMESTAMP: lambda: dtype == pl.Datetime,
        LogicalType.TIME: lambda: dtype == pl.Time,
        LogicalType.NUMBER: lambda: dtype.is_numeric(),
        LogicalType.INTEGER: lambda: dtype.is_integer(),
        LogicalType.BOOLEAN: lambda: dtype == pl.Boolean,
        LogicalType.ARRAY: lambda: isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric(),
    }[column.logical_type]()


def parse_text(series: "pl.Series", column: Column) -> "pl.Series":
    """Text to the logical type; what doesn't parse becomes null (the caller compares the null counts)."""
    import polars as pl

    readers: dict[LogicalType, Callable[[pl.Series], pl.Series]] = {
        LogicalType.STRING: lambda s: s,
        LogicalType.INTEGER: lambda s: s.cast(pl.Int64, strict=False),
        LogicalType.NUMBER: lambda s: s.cast(pl.Float64, strict=False),
        LogicalType.BOOLEAN: _boolean,
        LogicalType.DATE: lambda s: s.str.to_date("%Y-%m-%d", strict=False),
        LogicalType.TIME: lambda s: _first_fit(s, TIMES, lambda t, f: t.str.to_time(f, strict=False)).cast(pl.String),
        LogicalType.TIMESTAMP: _timestamp,
        LogicalType.ARRAY: _numbers,
    }
    return readers[column.logical_type](series)


def cast_typed(series: "pl.Series", column: Column) -> "pl.Series":
    """A typed source's column to the canonical type; timestamps with a zone become naive UTC."""
    import polars as pl

    if column.logical_type is LogicalType.TIMESTAMP and isinstance(series.dtype, pl.Datetime):
        zone = series.dtype.time_zone
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else series
        return utc.dt.cast_time_unit("us")
    return series.cast(dtype_of(column), strict=False)


def _numbers(series: "pl.Series") -> "pl.Series":
    """Lists as JSON writes them."""
    import polars as pl

    inner = series.str.strip_chars().str.strip_prefix("[").str.strip_suffix("]")
    return inner.str.split(",").list.eval(pl.element().str.strip_chars().cast(pl.Float64, strict=False))


def _boolean(series: "pl.Series") -> "pl.Series":
    import polars as pl

    words = {"true": True, "false": False, "1": True, "0": False, "t": True, "f": False}
    return series.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)


def _timestamp(series: "pl.Series") -> "pl.Series":
    import polars as pl

    zoned = series.str.to_datetime(ZONED, time_unit="us", strict=False).dt.convert_time_zone("UTC")
    naive = zoned.dt.replace_time_zone(None)
    if naive.null_count() == series.null_count():
        return naive

    def read(text: "pl.Series", pattern: str) -> "pl.Series":
        return text.str.to_datetime(pattern, time_unit="us", strict=False)

    plain = _first_fit(series, TIMESTAMPS, read)
    return pl.select(pl.coalesce(naive, plain)).to_series().alias(series.name)


def _first_fit(
    series: "pl.Series", patterns: tuple[str, ...], read: Callable[["pl.Series", str], "pl.Series"]
) -> "pl.Series":
    """Try each pattern in turn on what is still missing; stop when every text was read."""
    import polars as pl

    result = read(series, patterns[0])
    for pattern in patterns[1:]:
        if result.null_count() == series.null_count():
            break
        result = pl.select(pl.coalesce(result, read(series, pattern))).to_series()
    return result.alias(series.name)
