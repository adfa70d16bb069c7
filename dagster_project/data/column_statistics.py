"""Nulls and range of each column as plain data, for people; statistics of two sets of rows merge."""

from typing import TYPE_CHECKING, Any

from dagster_project.domain.contract import Column, DataContract, LogicalType

if TYPE_CHECKING:
    import polars as pl

Statistics = dict[str, dict[str, Any]]
_UNORDERED = (LogicalType.STRING, LogicalType.BOOLEAN, LogicalType.TIME, LogicalType.ARRAY)


def describe_rows(frame: "pl.DataFrame", contract: DataContract) -> Statistics:
    """Column -> rows, nulls, and minimum and maximum of numbers and dates; no value of a column that isn't public."""
    import polars as pl

    ranged = [column.name for column in contract.columns if _has_range(column)]
    row = frame.select(
        pl.all().null_count().name.suffix(":nulls"),
        *(pl.col(name).min().alias(f"{name}:minimum") for name in ranged),
        *(pl.col(name).max().alias(f"{name}:maximum") for name in ranged),
    ).row(0, named=True)
    found: Statistics = {name: {"rows": frame.height, "nulls": row[f"{name}:nulls"]} for name in frame.columns}
    for name in ranged:
        found[name] |= {side: _plain(row[f"{name}:{side}"]) for side in ("minimum", "maximum")}
    return found


def merge(one: Statistics, other: Statistics) -> Statistics:
    """Statistics of both sets of rows together."""
    if not one or not other:
        return one or other
    merged: Statistics = {}
    for name, left in one.items():
        right = other[name]
        merged[name] = {"rows": left["rows"] + right["rows"], "nulls": left["nulls"] + right["nulls"]}
        for side, choose in (("minimum", min), ("maximum", max)):
            if side in left:
                known = [value for value in (left[side], right[side]) if value is not None]
                merged[name][side] = choose(known) if known else None
    return merged


def _has_range(column: Column) -> bool:
    return column.logical_type not in _UNORDERED and column.public


def _plain(value: Any) -> Any:
    """JSON has neither dates nor NaN and infinity."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value.isoformat()
