"""Labels that came before the answer they are of, or of none: kept, and tried again when new answers are there."""

from typing import TYPE_CHECKING

from dagster_project.monitoring.append_table import AppendTable, rows_of
from dagster_project.monitoring.label_table import schema as label_schema
from dagster_project.monitoring.tables import WAITING
from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl


def schema() -> "pl.Schema":
    """A label, and another row of the same ``event`` with ``joined`` once its answer was found."""
    import polars as pl

    return pl.Schema({**label_schema(), "joined": pl.Boolean()})


def waiting_table(watched: Watched) -> AppendTable:
    """The table to append to."""
    return AppendTable(watched.workspace.warehouse, watched.name_of(WAITING), schema())


def waiting(watched: Watched, now: "datetime") -> "pl.DataFrame":
    """Labels whose answer is not there, each once; those older than the horizon wait no longer."""
    import polars as pl

    horizon = (now - watched.spec.monitoring.labels.horizon).date()
    every = rows_of(watched.uri_of(WAITING), schema()).filter(pl.col("day") >= horizon)
    open_ones = every.filter(~pl.col("joined").any().over("event"))
    return open_ones.unique("event", maintain_order=True).drop("joined").collect()


def as_waiting(labels: "pl.DataFrame", *, joined: bool) -> "pl.DataFrame":
    """Rows for the table."""
    import polars as pl

    return labels.with_columns(joined=pl.lit(joined)).select(schema().names())
