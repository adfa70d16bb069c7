"""What asking people needs of the tables of answers and outcomes (docs/monitoring.md): few of their columns."""

from typing import TYPE_CHECKING

from dagster_project.monitoring.append_table import rows_of
from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    import polars as pl


def answered(watched: Watched) -> "pl.LazyFrame":
    """Answers: ``row_id``, ``at``, ``time`` (of the event, or null), ``id``, ``probabilities``, ``inputs``, ``day``."""
    import polars as pl

    time, text = pl.Datetime("us", "UTC"), pl.String()
    columns = {"row_id": text, "at": time, "time": time, "id": text, "probabilities": pl.List(pl.Float64())}
    return rows_of(watched.answers_uri, pl.Schema({**columns, "inputs": text, "day": pl.Date()}))


def naturally_known(watched: Watched) -> "pl.LazyFrame":
    """``row_id`` and ``day`` of the answers of which it is known what happened."""
    import polars as pl

    columns = pl.Schema({"row_id": pl.String(), "kind": pl.String(), "day": pl.Date()})
    return rows_of(watched.outcomes_uri, columns).filter(pl.col("kind") == "natural").select("row_id", "day")
