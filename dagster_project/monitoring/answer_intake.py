"""From the prediction log into a model's table of answers: each row once, only new ones are read."""

from typing import TYPE_CHECKING

from dagster_project.monitoring.additions import GoneError, next_batch, rows_in
from dagster_project.monitoring.append_table import AppendTable, rows_of
from dagster_project.monitoring.champion import positive_text
from dagster_project.monitoring.log_rows import schema
from dagster_project.monitoring.log_table import answers as logged_answers
from dagster_project.monitoring.log_table import log_table
from dagster_project.monitoring.tables import ANSWERS, answers_schema
from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    import polars as pl

STREAM = "log"
ANSWERING = ("live", "canary")
"""Whoever is beside them (shadow) answers nobody, so nothing becomes true of it."""
BATCH_ROWS = 500_000
FIRST_YEAR, LAST_YEAR = 1900, 2059
"""A time that a client sent and that is none of these is no time of an event."""


def take_answers(watched: Watched, batch_rows: int = BATCH_ROWS) -> int:
    """Bring the table of answers up to the prediction log; how many rows came in.

    Raises:
        ConflictError: somebody else brings it up to date.
        MachineryError: a table can't be read or written; what was committed stays.
    """
    log, taken = log_table(watched.workspace.warehouse), 0
    while True:
        # what is committed stands on the version whose position was read: another's commit in between is a conflict
        table = _table(watched)
        try:
            batch = next_batch(log.uri, table.position(STREAM), log.version, batch_rows)
            if batch is None:
                return taken
            rows, position = rows_of_model(rows_in(batch.files, schema()), watched).collect(), batch.version
        except GoneError:
            rows, position = _missing(watched), (log.version or 0) + 1
        table.commit(rows, {STREAM: position})
        taken += rows.height


def _missing(watched: Watched) -> "pl.DataFrame":
    """What the log has and the table of answers has not."""
    known = rows_of(watched.uri_of(ANSWERS), answers_schema()).select("row_id")
    every = rows_of_model(logged_answers(watched.workspace.warehouse), watched)
    return every.join(known, on="row_id", how="anti").collect(engine="streaming")


def rows_of_model(logged: "pl.LazyFrame", watched: Watched) -> "pl.LazyFrame":
    """The model's rows of the log as its table of answers has them."""
    import polars as pl

    sensible = pl.col("time").dt.year().is_between(FIRST_YEAR, LAST_YEAR)
    return (
        logged.filter((pl.col("model") == watched.spec.name) & pl.col("row_id").is_not_null())
        .filter(pl.col("place").is_in(ANSWERING))
        .with_columns(time=pl.when(sensible).then("time"))
        .with_columns(score=score(watched), day=pl.coalesce("time", "at").dt.date())
        .select(answers_schema().names())
    )


def score(watched: Watched) -> "pl.Expr":
    """The probability of the positive class, the largest one of several, or the value.

    A classifier answers the class of the largest probability; so a log that has both says which of two is positive.
    """
    import polars as pl

    chances, task = pl.col("probabilities"), watched.spec.task
    if task == "regression":
        return pl.col("value")
    if task == "multiclass":
        return chances.list.max()
    said = pl.col("label") == positive_text(watched)
    return pl.when(said).then(chances.list.max()).otherwise(chances.list.min())


def _table(watched: Watched) -> AppendTable:
    return AppendTable(watched.workspace.warehouse, watched.name_of(ANSWERS), answers_schema())
