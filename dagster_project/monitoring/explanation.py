"""Explanations in production: the columns that answers lean on, window by window, and the worst errors."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dagster_project.data.told import told
from dagster_project.domain.explanation import ColumnShare, ExplainedError, ExplanationReport
from dagster_project.domain.projection import project
from dagster_project.inference.attributions import answer_of, attribute
from dagster_project.inference.explained_errors import Told, explained_errors, worst
from dagster_project.inference.frames import tensors
from dagster_project.inference.losses import losses
from dagster_project.inference.predictor import OnnxPredictor
from dagster_project.inference.shares import attribution_shares
from dagster_project.monitoring.champion import lock_of, predictor_of, rows_of_champion
from dagster_project.monitoring.judged_answers import Judge
from dagster_project.monitoring.kept import kept
from dagster_project.monitoring.review import plain
from dagster_project.monitoring.tables import NATURAL, answered_with_truth, answers, input_column, with_inputs
from dagster_project.monitoring.watched import Watched
from dagster_project.monitoring.windows import newest_before
from dagster_project.storage.ledger import Ledger

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

LEDGER = "explanations"
PAIRS = 10
"""Of walks a row: many rows make up for few walks."""
METHOD = 1  # raised when the same rows would be explained otherwise
BACKGROUND = 100


def explain(watched: Watched, now: datetime) -> ExplanationReport:
    """Explain a sample of the newest whole window, and the worst errors of the newest matured one.

    Raises:
        MachineryError: a table, the store or the ledger can't be read or written.
    """
    spec = watched.spec.monitoring.explanations
    begin, end = newest_before(now.date(), spec.window)
    report = ExplanationReport(model=watched.spec.name, now=now, begin=begin, end=end, rows=0)
    report = report.model_copy(update=_explained(watched, begin, end, now))
    Ledger(watched.workspace.ledger, LEDGER).append(report.ledger_row())
    return report


def _explained(watched: Watched, begin: date, end: date, now: datetime) -> dict[str, Any]:
    restricted = project(watched.spec, watched.contract).restricted
    if restricted:
        return {"skipped": f"{', '.join(restricted)}: hashed in the log, so answers can't be asked for again."}
    rows = _sample(watched, begin, end)
    if rows.height < 2:
        return {"skipped": "no answer of this champion has its inputs logged."}
    judged = rows_of_champion(watched, "validation", watched.spec.monitoring.explanations.rows)
    if judged is None:
        return {"skipped": "the rows that the champion was judged on are not kept here."}
    predictor = predictor_of(watched)
    background = _columns(judged[:BACKGROUND], predictor)
    shares, errors = _shares(watched, predictor, _columns(rows, predictor), background)
    then, then_errors = _kept_shares(watched, predictor, judged, background)
    columns = [
        ColumnShare(
            name=name, judged=then[name], judged_error=then_errors[name], now=shares[name], now_error=errors[name]
        )
        for name in sorted(shares, key=lambda name: (-shares[name], name))
    ]
    return {
        "rows": rows.height, "judged_rows": judged.height, "columns": tuple(columns),
        "errors": _worst(watched, predictor, background, now),
    }  # fmt: skip


def _sample(watched: Watched, begin: date, end: date) -> "pl.DataFrame":
    """The champion's answers in the columns that it takes, named as they are."""
    import polars as pl

    own = answers(watched, begin, end - timedelta(days=1)).filter(pl.col("onnx") == lock_of(watched).onnx)
    rows = with_inputs(own, watched).collect().sort("row_id")
    return _as_taken(rows.sample(min(rows.height, watched.spec.monitoring.explanations.rows), seed=0), watched)


def _as_taken(rows: "pl.DataFrame", watched: Watched) -> "pl.DataFrame":
    """Logged inputs under the names by which the champion takes them."""
    import polars as pl

    return rows.select([pl.col(input_column(name)).alias(name) for name in watched.spec.features.names])


def _columns(rows: "pl.DataFrame", predictor: OnnxPredictor) -> "dict[str, np.ndarray]":
    return tensors(rows, predictor.manifest.inputs)


def _shares(
    watched: Watched, predictor: OnnxPredictor, rows: "dict[str, np.ndarray]", background: "dict[str, np.ndarray]"
) -> tuple[dict[str, float], dict[str, float]]:
    found = attribute(answer_of(predictor, watched.spec.positive), rows, background, pairs=PAIRS)
    shares, errors = attribution_shares(found)
    by_name = (dict(zip(found.names, each.tolist(), strict=True)) for each in (shares, errors))
    return next(by_name), next(by_name)


def _kept_shares(
    watched: Watched, predictor: OnnxPredictor, judged: "pl.DataFrame", background: "dict[str, np.ndarray]"
) -> tuple[dict[str, float], dict[str, float]]:
    """The shares when judged, explained once for a champion."""

    def shares() -> Any:
        return _shares(watched, predictor, _columns(judged, predictor), background)

    of_columns, errors = kept(watched, "judged_shares", [METHOD, judged.height, watched.spec.positive], shares)
    return of_columns, errors


def _worst(
    watched: Watched, predictor: OnnxPredictor, background: "dict[str, np.ndarray]", now: datetime
) -> tuple[ExplainedError, ...]:
    """Of the newest matured answers those that were farthest from what happened."""
    import polars as pl

    first, end = newest_before(watched.matured_before(now), watched.spec.monitoring.explanations.window)
    own = (pl.col("onnx") == lock_of(watched).onnx) & (pl.col("kind") == NATURAL)
    frame = answered_with_truth(watched, first, end - timedelta(days=1), as_of=now).filter(own)
    rows = with_inputs(frame, watched).collect()
    if not rows.height:
        return ()
    judge = Judge(watched)
    loss = losses(judge.answers(rows), judge.truth(rows))
    rows = rows[worst(loss, rows["row_id"].to_list())]
    of_rows = [
        Told(row["row_id"], *_said_and_truth(row), float(each))
        for row, each in zip(rows.iter_rows(named=True), sorted(loss, reverse=True), strict=False)
    ]
    inputs = _as_taken(rows, watched)
    asked = answer_of(predictor, watched.spec.positive)
    return explained_errors(
        asked,
        _columns(inputs, predictor),
        background,
        of_rows,
        lambda name, place: _shown(watched, name, inputs[name][place]),
    )


def _said_and_truth(row: dict[str, Any]) -> tuple[str, str]:
    said = row["label"] if row["label"] is not None else f"{row['value']:.4g}"
    return said, row["truth"] if row["truth"] is not None else f"{row['true_value']:.4g}"


def _shown(watched: Watched, name: str, logged: Any) -> str:
    column = watched.contract.column(name)
    return told(plain(logged.to_list() if hasattr(logged, "to_list") else logged, column), column)
