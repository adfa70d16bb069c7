"""What people look at on a dataset: rows, quarantine, digest, missing values, a plot."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from dagster_project.domain.contract import DataContract, LogicalType, Role
from dagster_project.domain.snapshot import Snapshot
from dagster_project.factories.checks import table
from dagster_project.factories.plots import bars, over_time
from dagster_project.factories.samples import samples_of

if TYPE_CHECKING:
    import polars as pl

    from dagster_project.data.datasets import Materialised

MOST_BARS = 25


def dataset_metadata(contract: DataContract, snapshot: Snapshot, done: "Materialised") -> dict[str, Any]:
    """Metadata of one materialisation."""
    return {
        "dagster/row_count": snapshot.rows,
        "dagster/uri": snapshot.uri,
        "quarantined": snapshot.quarantined,
        "new_rows": done.new_rows,
        "digest": snapshot.digest,
        "version": snapshot.version,
        "inputs": dict(snapshot.inputs),
        "reused": done.reused,
        "seconds": round(done.seconds, 2),
        "columns": dg.MetadataValue.md(_columns_table(contract, done)),
        **_pictures(contract, snapshot, done),
    }


def _columns_table(contract: DataContract, done: "Materialised") -> str:
    shares = missing_shares(done)

    def cells(name: str) -> tuple[object, ...]:
        seen = done.statistics.get(name, {})
        return name, f"{shares.get(name, 0.0):.2%}", seen.get("minimum", ""), seen.get("maximum", "")

    return table(("column", "missing", "smallest", "largest"), map(cells, contract.column_names))


def missing_shares(done: "Materialised") -> dict[str, float]:
    """Each column's share of rows without a value."""
    return {name: seen["nulls"] / max(seen["rows"], 1) for name, seen in done.statistics.items()}


def _pictures(contract: DataContract, snapshot: Snapshot, done: "Materialised") -> dict[str, Any]:
    from dagster_project.data.datasets import read

    shown = {}
    shares = missing_shares(done)
    if any(shares.values()):
        worst = dict(sorted(shares.items(), key=lambda item: -item[1])[:MOST_BARS])
        shown["missing_shares"] = dg.MetadataValue.md(bars(worst, "Missing values", "share of rows"))
    times = [c.name for c in contract.with_role(Role.EVENT_TIME) if c.logical_type is not LogicalType.TIME]
    if times:
        shown["rows_over_time"] = dg.MetadataValue.md(_rows_over_time(read(snapshot, columns=times[:1]), times[0]))
    drawn = samples_of(contract, snapshot)
    return {**shown, **{name: dg.MetadataValue.md(text) for name, text in drawn.items()}}


def _rows_over_time(frame: "pl.LazyFrame", column: str) -> str:
    import polars as pl

    day = pl.col(column).dt.date().alias("day")
    days = frame.select(day).drop_nulls().group_by("day").len().sort("day").collect()
    return over_time(days["day"].to_list(), days["len"].to_list(), f"Rows by day of {column}")
