"""Ask people: choose answers that nobody knows the truth of, and put them where servers show them."""

import json
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from dagster_project.domain.contract import Column, LogicalType, Role
from dagster_project.domain.families import CLASSIFICATION
from dagster_project.domain.review import ReviewQueue, ReviewRow, ShownColumn
from dagster_project.monitoring.agreement import agreement
from dagster_project.monitoring.choosing import Chosen, Heard, choose
from dagster_project.monitoring.human_labels import human_labels, said_by_row
from dagster_project.monitoring.tables import NATURAL, answers, outcomes
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.reviews import Reviews

if TYPE_CHECKING:
    import polars as pl

LEDGER = "review"


def ask(watched: Watched, now: datetime) -> ReviewQueue:
    """Choose anew what people are asked, publish it, and measure how far they agree so far.

    Raises:
        MachineryError: a table can't be read, or the queue can't be written.
    """
    import polars as pl

    reviews = Reviews(watched.workspace.serving, watched.spec.name)
    found = human_labels(watched)
    said, done = said_by_row(found), reviews.done()
    audits = frozenset(found.filter("audit")["row_id"])
    asked = candidates(watched, now)
    heard = Heard(said, done, audits)
    chosen = choose(asked, heard, watched.spec.monitoring.review, f"{watched.spec.name} {now.date()}")
    columns = shown_columns(watched)
    queue = ReviewQueue(
        model=watched.spec.name,
        now=now,
        question=_question(watched),
        columns=tuple(ShownColumn(name=c.name, description=c.description, unit=c.unit, shape=c.shape) for c in columns),
        rows=tuple(_rows(watched, asked, chosen, columns)),
        candidates=asked.filter(~pl.col("row_id").is_in(list(said))).height,
        measure="margin" if watched.spec.task in CLASSIFICATION else None,
        labelled=len(said),
        audited=len(audits),
        dropped=sum(heard.dropped(row) for row in done),
        agreement=agreement(said),
    )
    reviews.publish(queue.to_json().encode())
    reviews.forget(set(asked["row_id"]))
    row = queue.model_dump(mode="json", exclude={"rows", "columns", "question"})
    Ledger(watched.workspace.ledger, LEDGER).append(row)
    return queue


def candidates(watched: Watched, now: datetime) -> "pl.DataFrame":
    """Answers with logged inputs, young enough and without natural truth: ``row_id``, ``day``, ``when``, ``margin``."""
    import polars as pl

    begin = now - watched.spec.monitoring.review.age
    young = pl.col("day").is_between(begin.date(), now.date())
    chances = pl.col("probabilities").list.sort(descending=True)
    margin = pl.when(chances.list.len() > 1).then(
        chances.list.get(0, null_on_oob=True) - chances.list.get(1, null_on_oob=True)
    )
    known = outcomes(watched).filter(young & (pl.col("kind") == NATURAL)).select("row_id").unique()
    return (
        answers(watched)
        .filter(young & pl.col("inputs").is_not_null())
        .select("row_id", "day", when=pl.coalesce("time", "at"), margin=margin)
        .filter(pl.col("when").is_between(begin, now, closed="right"))
        .unique("row_id")
        .join(known, on="row_id", how="anti")
        .collect()
    )


def shown_columns(watched: Watched) -> tuple[Column, ...]:
    """The model's public inputs, or those of them that the spec names. What is restricted is hashed in the log."""
    named = watched.spec.monitoring.review.columns or watched.spec.features.names
    columns = (watched.contract.column(name) for name in named)
    return tuple(column for column in columns if column.public and column.role is not Role.LABEL)


def plain(value: Any, column: Column) -> Any:
    """A logged input (a float32 number or text) as the contract types it, in the fewest digits that say which it is."""
    if isinstance(value, list):
        return [plain(part, column) for part in value]
    if not isinstance(value, float | int) or isinstance(value, bool):
        return value
    if column.logical_type is LogicalType.BOOLEAN:
        return bool(value)
    if column.logical_type is LogicalType.INTEGER and value == int(value):
        return int(value)
    return float(f"{value:.7g}")


def _rows(
    watched: Watched, asked: "pl.DataFrame", chosen: list[Chosen], columns: tuple[Column, ...]
) -> list[ReviewRow]:
    """In an order that says nothing of why a row is asked about."""
    import polars as pl

    wanted = asked.filter(pl.col("row_id").is_in([row.row_id for row in chosen]))
    here = pl.col("day").is_in(wanted["day"].unique().to_list()) & pl.col("row_id").is_in(wanted["row_id"].to_list())
    inputs = dict(answers(watched).filter(here).select("row_id", "inputs").collect().iter_rows())
    times = dict(wanted.select("row_id", "when").iter_rows())
    found = []
    for row in sorted(chosen, key=lambda row: sha256(row.row_id.encode()).digest()):
        logged = json.loads(inputs[row.row_id])
        shown = {column.name: plain(logged.get(column.name), column) for column in columns}
        at, people = times[row.row_id], row.people
        found.append(
            ReviewRow(row_id=row.row_id, at=at, shown=shown, audit=row.audit, wanted=row.wanted, people=people)
        )
    return found


def _question(watched: Watched) -> str:
    target = watched.contract.column(watched.spec.target)
    return watched.spec.monitoring.review.question or target.description or f"What is {target.name}?"
