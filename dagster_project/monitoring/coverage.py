"""How much of the truth is known: of the newest days alone, so that a long history costs nothing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from dagster_project.domain.reconciliation import MOST_LISTED, Conflict, DayCoverage, Reconciliation, ScoreDecile
from dagster_project.monitoring.contract_labels import id_column
from dagster_project.monitoring.tables import NATURAL, answered_with_truth, outcomes
from dagster_project.monitoring.waiting import waiting
from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    import polars as pl

SPAN = timedelta(days=28)
"""Matured days that are looked at."""


@dataclass
class Taken:
    """What a reconciliation has committed so far."""

    answers: int = 0
    labels: int = 0
    joined: int = 0


def coverage(watched: Watched, now: datetime, taken: Taken) -> Reconciliation:
    """The document of a reconciliation."""
    ripe = watched.matured_before(now)
    since = ripe - SPAN
    columns = ("day", "score", "kind", "known", "time", "at")
    rows = answered_with_truth(watched, since, now.date(), as_of=now).select(columns).collect()
    said = outcomes(watched, since, now.date(), as_of=now).collect()
    said = said.filter(said["row_id"].is_duplicated())  # one label alone neither repeats nor contradicts another
    conflicting = _conflicts(said)
    delays = _delays(rows)
    return Reconciliation(
        model=watched.spec.name,
        now=now,
        answers=taken.answers,
        labels=taken.labels,
        joined=taken.joined,
        waiting=waiting(watched, now).height,
        since=since,
        days=tuple(_days(rows, ripe)),
        duplicates=said.height - said.unique(["row_id", "kind", "who", "label", "value"]).height,
        corrected=_several(said, ["row_id", "kind", "who"]),
        conflicts=len(conflicting),
        conflicting=tuple(conflicting[:MOST_LISTED]),
        delay_p50=delays[0],
        delay_p95=delays[1],
        deciles=tuple(_deciles(rows, ripe)),
        unjoinable=_unjoinable(watched),
    )


def _days(rows: "pl.DataFrame", ripe: date) -> list[DayCoverage]:
    import polars as pl

    natural = (pl.col("kind") == NATURAL).sum()
    human = (pl.col("kind") != NATURAL).sum()
    counted = rows.group_by("day").agg(pl.len().alias("answers"), natural.alias("natural"), human.alias("human"))
    return [DayCoverage(matured=row["day"] < ripe, **row) for row in counted.sort("day").iter_rows(named=True)]


def _delays(rows: "pl.DataFrame") -> tuple[float | None, float | None]:
    """Hours from event to label, median and 95th percentile."""
    import polars as pl

    known = rows.filter(pl.col("kind") == NATURAL)
    hours = (known["known"] - known.select(pl.coalesce("time", "at"))["time"]).dt.total_seconds() / 3600
    half, most = hours.quantile(0.5), hours.quantile(0.95)
    return (None, None) if half is None or most is None else (max(0.0, half), max(0.0, most))


def _deciles(rows: "pl.DataFrame", ripe: date) -> list[ScoreDecile]:
    import polars as pl

    old = rows.filter((pl.col("day") < ripe) & pl.col("score").is_not_null()).sort("score")
    found = []
    for place in range(10 if old.height >= 10 else 0):
        first, end = place * old.height // 10, (place + 1) * old.height // 10
        part = old[first:end]
        unlabelled = 1 - float((part["kind"] == NATURAL).fill_null(False).mean() or 0.0)  # type: ignore[arg-type]
        low, high = float(part["score"][0]), float(part["score"][-1])
        found.append(ScoreDecile(low=low, high=high, answers=part.height, unlabelled=unlabelled))
    return found


def _several(said: "pl.DataFrame", of: list[str]) -> int:
    """How many of these are given more than one label."""
    import polars as pl

    return said.unique([*of, "label", "value"]).group_by(of).len().filter(pl.col("len") > 1).height


def _conflicts(said: "pl.DataFrame") -> list[Conflict]:
    """Natural labels of one time that differ, newest time of each row alone: an older quarrel is settled."""
    import polars as pl

    natural = said.filter(pl.col("kind") == NATURAL)
    newest = natural.filter(pl.col("known") == pl.col("known").max().over("row_id"))
    words = pl.format("{}: {}", "source", pl.coalesce("label", pl.col("value").cast(pl.String)).fill_null("none"))
    distinct = newest.unique(["row_id", "label", "value"]).group_by("row_id").agg(words.sort().alias("said"))
    several = distinct.filter(pl.col("said").list.len() > 1).sort("row_id")
    return [Conflict(row_id=row, said=tuple(texts)) for row, texts in several.iter_rows()]


def _unjoinable(watched: Watched) -> str:
    if not watched.spec.monitoring.labels.contract or id_column(watched):
        return ""
    return (
        f"{watched.contract.name} has no public column with the role id, so its labels can't be joined to answers: "
        "give one, or set monitoring.labels.contract to false and send labels by row_id."
    )
