"""Labels joined to the answers that they are of. A label is in the table of outcomes once for each answer."""

from datetime import date
from typing import TYPE_CHECKING

from dagster_project.monitoring.id_index import IdIndex
from dagster_project.monitoring.tables import answers, outcomes, outcomes_schema
from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl


def matches(labels: "pl.DataFrame", watched: Watched, index: IdIndex, now: "datetime") -> "pl.DataFrame":
    """``labels`` with ``answered``, the row, and its ``day``: by ``row_id`` where they have one, else by ``id``.

    An id that was asked about several times is labelled each time. Answers beyond the horizon get none. A label is
    ``recorded`` now, or once it is known: a day of the past that is looked at has none of the days that followed.
    """
    import polars as pl

    ids = pl.concat([labels["row_id"], labels["id"]])
    horizon = (now - watched.spec.monitoring.labels.horizon).date()
    days = [day for day in index.days(ids) if day >= horizon]
    wanted = pl.col("row_id").is_in(ids.implode()) | pl.col("id").is_in(ids.implode())
    near = on_days(answers(watched), days).select("row_id", "id", "day").filter(wanted).collect()
    plain = labels.drop("day")
    by_row = plain.filter(pl.col("row_id").is_not_null()).join(near.drop("id"), on="row_id")
    by_id = plain.filter(pl.col("row_id").is_null()).drop("row_id").join(near, on="id")
    columns = [*outcomes_schema().names()]
    recorded = pl.max_horizontal(pl.lit(now, outcomes_schema()["recorded"]), "known")
    parts = [part.with_columns(recorded=recorded) for part in (by_row, by_id)]
    return pl.concat([part.select(columns) for part in parts]).unique(["row_id", "event"], maintain_order=True)


def new_outcomes(found: "pl.DataFrame", watched: Watched) -> "pl.DataFrame":
    """Those of ``matches`` that the table does not have."""
    there = on_days(outcomes(watched), found["day"].unique().to_list()).select("row_id", "event").collect()
    return found.join(there, on=["row_id", "event"], how="anti")


def on_days(frame: "pl.LazyFrame", days: list[date]) -> "pl.LazyFrame":
    """Rows of these days; no others are read."""
    import polars as pl

    return frame.filter(pl.col("day").is_in(days))


def confirmed(found: "pl.DataFrame", watched: Watched) -> "pl.DataFrame":
    """Of labels of snapshots, which follow on one another, those that say something else than the last one did."""
    import polars as pl

    before = on_days(outcomes(watched), found["day"].unique().to_list()).filter(pl.col("source") == "contract")
    last = before.sort("known", "event").unique("row_id", keep="last").select("row_id", "label", "value").collect()
    return found.join(last, on=["row_id", "label", "value"], how="anti", nulls_equal=True)
