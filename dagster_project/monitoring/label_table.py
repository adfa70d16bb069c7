"""Labels as a Delta table: each one as it came, from a contract's dataset, a client or a person."""

from typing import TYPE_CHECKING

from dagster_project.monitoring.append_table import AppendTable, rows_of, table_uri

if TYPE_CHECKING:
    import polars as pl

NAME = "labels"


def schema() -> "pl.Schema":
    """The table's columns (docs/monitoring.md).

    ``label`` is a class as the prediction log writes it, ``value`` a regression's number; one of them is there, as one
    of ``row_id`` and ``id`` is. ``audit``: the row was drawn at random for review. ``day`` (UTC) is that of
    ``received``.
    """
    import polars as pl

    time = pl.Datetime("us", "UTC")
    text = ("event", "model", "row_id", "id", "label")
    return pl.Schema(
        {
            **{name: pl.String() for name in text},
            "value": pl.Float64(),
            **{name: pl.String() for name in ("kind", "source", "who")},
            "audit": pl.Boolean(),
            "known": time,
            "received": time,
            "day": pl.Date(),
        }
    )


def label_table(warehouse: str) -> AppendTable:
    """The table to append to; every source of labels has streams of its own."""
    return AppendTable(warehouse, NAME, schema())


def received_labels(warehouse: str) -> "pl.LazyFrame":
    """Every label in the table as often as it was received: a client that heard no answer sends its labels again."""
    return rows_of(table_uri(warehouse, NAME), schema())


def labels(warehouse: str) -> "pl.LazyFrame":
    """Every label once: of those with the same ``event`` the one that was received first."""
    return received_labels(warehouse).sort("received").unique("event", keep="first", maintain_order=True)
