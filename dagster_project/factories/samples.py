"""A look at what a column of images or windows holds: a few of each, drawn."""

from typing import TYPE_CHECKING, Any

from dagster_project.domain.contract import Column, DataContract
from dagster_project.domain.snapshot import Snapshot
from dagster_project.factories.plots import contact_sheet, lines

if TYPE_CHECKING:
    import polars as pl

PICTURES, WINDOWS = 40, 8


def samples_of(contract: DataContract, snapshot: Snapshot) -> dict[str, str]:
    """Markdown by column, of public images and series: the first rows that have one."""
    from dagster_project.data.datasets import read

    wide = [column for column in contract.columns if column.shape and column.public]
    return {
        f"{column.name}_samples": drawn
        for column in wide
        if (drawn := _drawn(column, read(snapshot, columns=[column.name])))
    }


def _drawn(column: Column, rows: "pl.LazyFrame") -> str:
    import polars as pl

    from dagster_project.data.images import decode

    there = pl.col(column.name).is_not_null()
    values: list[Any] = rows.filter(there).head(PICTURES if column.image else 2000).collect()[column.name].to_list()
    if not values:
        return ""
    if column.image:
        return contact_sheet([decode(data, column.image) for data in values], f"Some of {column.name}")
    spread = values[:: max(1, len(values) // WINDOWS)][:WINDOWS]
    return lines(spread, f"Some of {column.name}", "step", column.unit or column.name)
