"""What reconciliation leaves of a model, and how everything after it reads that (docs/monitoring.md)."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from dagster_project.domain.projection import project
from dagster_project.monitoring.append_table import rows_of
from dagster_project.monitoring.watched import Watched

if TYPE_CHECKING:
    import polars as pl

ANSWERS, OUTCOMES, WAITING = "answers", "outcomes", "waiting"
NATURAL, HUMAN = "natural", "human"


def answers_schema() -> "pl.Schema":
    """An answer of the model; ``score`` is the probability of the positive class, the largest one, or the value."""
    import polars as pl

    time, text, number = pl.Datetime("us", "UTC"), pl.String(), pl.Float64()
    return pl.Schema(
        {
            "row_id": text,
            "at": time,
            "time": time,
            **dict.fromkeys(("id", "onnx", "place", "label"), text),
            "value": number,
            "probabilities": pl.List(pl.Float64()),
            "score": number,
            "inputs": text,
            "day": pl.Date(),
        }
    )


def outcomes_schema() -> "pl.Schema":
    """One label of one answer: a row's versions are those of one ``kind``, in the order of ``known``."""
    import polars as pl

    time, text = pl.Datetime("us", "UTC"), pl.String()
    return pl.Schema(
        {
            **dict.fromkeys(("row_id", "event", "kind", "source", "who"), text),
            "audit": pl.Boolean(),
            "label": text,
            "value": pl.Float64(),
            "known": time,
            "recorded": time,
            "day": pl.Date(),
        }
    )


def answers(watched: Watched, first: date | None = None, last: date | None = None) -> "pl.LazyFrame":
    """Answers whose event was on the days from ``first`` to ``last``, both included; None is unbounded."""
    return _within(rows_of(watched.uri_of(ANSWERS), answers_schema()), first, last)


def outcomes(
    watched: Watched, first: date | None = None, last: date | None = None, as_of: datetime | None = None
) -> "pl.LazyFrame":
    """Every version of every outcome of those days. ``as_of``: as it stood then."""
    import polars as pl

    every = _within(rows_of(watched.uri_of(OUTCOMES), outcomes_schema()), first, last)
    return every if as_of is None else every.filter(pl.col("recorded") <= as_of)


def truth(
    watched: Watched, first: date | None = None, last: date | None = None, as_of: datetime | None = None
) -> "pl.LazyFrame":
    """What is true of each row, once: ``row_id``, ``kind``, ``label``, ``value``, ``known``, ``recorded``, ``audit``,
    ``day``.

    What happened (the version that was known last) goes before what people said (the
    class of more than half of them, or their median). Rows of which nothing is known, or no more, are absent.
    ``as_of``: as it stood then.
    """
    import polars as pl

    ordered = outcomes(watched, first, last, as_of).sort("known", "event")
    natural = ordered.filter(pl.col("kind") == NATURAL).unique("row_id", keep="last", maintain_order=True)
    people = ordered.filter(pl.col("kind") == HUMAN).unique(["row_id", "who"], keep="last", maintain_order=True)
    human = _said(people).join(natural.select("row_id"), on="row_id", how="anti")
    columns = ("row_id", "kind", "label", "value", "known", "recorded", "audit", "day")
    both = pl.concat([natural.select(columns), human.select(columns)])
    return both.filter(pl.col("label").is_not_null() | pl.col("value").is_not_null())


def answered_with_truth(
    watched: Watched, first: date | None = None, last: date | None = None, as_of: datetime | None = None
) -> "pl.LazyFrame":
    """Answers of those days with ``kind``, ``truth`` (text), ``true_value``, ``known``, ``recorded`` and ``audit``:
    null where nothing is known."""
    known = truth(watched, first, last, as_of).rename({"label": "truth", "value": "true_value"}).drop("day")
    return answers(watched, first, last).join(known, on="row_id", how="left")


def with_inputs(frame: "pl.LazyFrame", watched: Watched) -> "pl.LazyFrame":
    """Rows whose inputs were logged, with a column an input (:func:`input_column`): numbers as Float64, text as String,
    images and windows as lists.

    What is missing, and NaN, is null.
    """
    import polars as pl

    columns = project(watched.spec, watched.contract)
    kinds: dict[str, pl.DataType] = {
        **dict.fromkeys(columns.numeric, pl.Float64()),
        **dict.fromkeys(columns.categorical, pl.String()),
        **dict.fromkeys(columns.shapes, pl.List(pl.Float64)),
    }
    logged = frame.filter(pl.col("inputs").is_not_null())
    parsed = logged.with_columns(pl.col("inputs").str.json_decode(pl.Struct(kinds)))
    fields = [pl.col("inputs").struct.field(name).alias(input_column(name)) for name in kinds]
    return parsed.with_columns(fields).drop("inputs")


def input_column(name: str) -> str:
    """What the column of an input is called beside those of the answer, which may have the same name."""
    return f"input {name}"


def _within(frame: "pl.LazyFrame", first: date | None, last: date | None) -> "pl.LazyFrame":
    import polars as pl

    if first is not None:
        frame = frame.filter(pl.col("day") >= first)
    return frame if last is None else frame.filter(pl.col("day") <= last)


def _said(people: "pl.LazyFrame") -> "pl.LazyFrame":
    """One row for those that people labelled; null where no class has more than half of them."""
    import polars as pl

    found = pl.col("label").drop_nulls().mode().sort().first()
    most = pl.when((pl.col("label") == found).sum() * 2 > pl.len()).then(found)
    return people.group_by("row_id").agg(
        pl.lit(HUMAN).alias("kind"),
        most.alias("label"),
        pl.col("value").median(),
        pl.col("known").max(),
        pl.col("recorded").max(),
        pl.col("audit").any(),
        pl.col("day").first(),
    )
