"""From the prediction log into a model's table of answers: each row once, only new ones are read."""

from typing import TYPE_CHECKING

from dagster_project.monitoring.additions import GoneError, additions, batches, rows_in
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
BATCH_ROWS = 500_000
FIRST_YEAR, LAST_YEAR = 1900, 2059
"""A time that a client sent and that is none of these is no time of an event."""


def take_answers(watched: Watched, batch_rows: int = BATCH_ROWS) -> int:
    """Bring the table of answers up to the prediction log; how many rows came in.

    Raises:
        ConflictError: somebody else brings it up to date.
        MachineryError: a table can't be read or written; what was committed stays.
    """
    log = log_table(watched.workspace.warehouse)
    taken = 0
    try:
        for batch in batches(additions(log.uri, _table(watched).position(STREAM), log.version), batch_rows):
            rows = rows_of_model(rows_in(batch.files, schema()), watched).collect()
            taken += _commit(watched, rows, batch.version)
    except GoneError:
        known = rows_of(watched.uri_of(ANSWERS), answers_schema()).select("row_id")
        every = rows_of_model(logged_answers(watched.workspace.warehouse), watched)
        rows = every.join(known, on="row_id", how="anti").collect(engine="streaming")
        taken += _commit(watched, rows, (log.version or 0) + 1)
    return taken


def rows_of_model(logged: "pl.LazyFrame", watched: Watched) -> "pl.LazyFrame":
    """The model's rows of the log as its table of answers has them."""
    import polars as pl

    sensible = pl.col("time").dt.year().is_between(FIRST_YEAR, LAST_YEAR)
    return (
        logged.filter((pl.col("model") == watched.spec.name) & pl.col("row_id").is_not_null())
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


def _commit(watched: Watched, rows: "pl.DataFrame", position: int) -> int:
    _table(watched).commit(rows, {STREAM: position})
    return rows.height
