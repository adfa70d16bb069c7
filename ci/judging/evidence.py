"""Measurements that the gates ask for, and facts that the report shows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ci.judging.headroom import headroom_of
from ci.judging.models import JudgedModel
from ci.judging.rows import JudgedRows
from dagster_project.domain.bundle import TRIALS, Trial
from dagster_project.domain.contract import DataContract
from dagster_project.domain.facts import Facts, Importances
from dagster_project.domain.gates import (
    BaselineGate,
    BehaviourGate,
    BoundGate,
    CalibrationGate,
    ChampionGate,
    Gate,
    LatencyGate,
    NearDuplicatesGate,
    RobustnessGate,
    SlicesGate,
)
from dagster_project.domain.holdout import bound_confidence
from dagster_project.domain.metrics import REPORTED
from dagster_project.domain.projection import horizon_steps, season_steps
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.trust import JudgingRules
from dagster_project.domain.verdict import Comparison, Measurement
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from dagster_project.inference.predictor import Answers


def metrics_on(spec: ModelSpec, gates: Iterable[Gate], rows: str) -> tuple[str, ...]:
    """Metrics that the gates bound on ``rows``; on the validation rows also what slices and the report need."""
    asked = [gate.metric for gate in gates if isinstance(gate, BoundGate) and gate.rows == rows]
    shown = [spec.search.metric, *REPORTED[spec.task]] if rows == "validation" else []
    shown += [gate.metric for gate in gates if isinstance(gate, SlicesGate) and rows == "validation"]
    return tuple(dict.fromkeys((*shown, *asked)))


def part_measurements(
    rules: JudgingRules, answers: Answers, labels: np.ndarray, rows: str, metrics: Iterable[str]
) -> list[Measurement]:
    """Each metric with its interval, at every confidence that a gate on it asks for (95 % where none does)."""
    from dagster_project.evaluation.measuring import measure

    found: list[Measurement] = []
    for metric in metrics:
        bounds = [g for g in rules.gates if isinstance(g, BoundGate) and g.metric == metric and g.rows == rows]
        for confidence in sorted({0.95} | {gate.confidence for gate in bounds}):
            found += measure(
                answers,
                labels,
                rules.spec.task,
                [metric],
                rows=rows,
                confidence=confidence,
                positive=rules.spec.positive,
                seed=rules.spec.search.seed,
            )
    return found


def holdout_bounds(rules: JudgingRules, answers: Answers, labels: np.ndarray, significance: float) -> list[Measurement]:
    """Each bounded metric on the holdout, with the interval that the budget leaves."""
    from dagster_project.evaluation.measuring import measure

    found: list[Measurement] = []
    for gate in rules.gates:
        if isinstance(gate, BoundGate) and gate.rows == "holdout":
            found += measure(
                answers,
                labels,
                rules.spec.task,
                [gate.metric],
                rows="holdout",
                confidence=bound_confidence(gate.confidence, significance),
                positive=rules.spec.positive,
                seed=rules.spec.search.seed,
            )
    return found


def part_comparisons(
    rules: JudgingRules, challenger: Answers, champion: Answers, labels: np.ndarray, rows: str, significance: float
) -> list[Comparison]:
    """Challenger against champion for every gate that asks for it on ``rows``."""
    from dagster_project.evaluation.comparison import compare

    metrics = dict.fromkeys(g.metric for g in rules.gates if isinstance(g, ChampionGate) and g.rows == rows)
    return [
        compare(
            metric,
            challenger,
            champion,
            labels,
            rows=rows,
            significance=significance,
            positive=rules.spec.positive,
            seed=rules.spec.search.seed,
        )
        for metric in metrics
    ]


def detail_measurements(
    rules: JudgingRules, model: JudgedModel, answers: Answers, parts: Mapping[str, JudgedRows], contract: DataContract
) -> list[Measurement]:
    """Slices, the gain over the baselines, near-duplicates, calibration, latency, size and the build's own parity, as
    far as gates ask.

    ``contract`` is the base branch's.
    """
    from dagster_project.evaluation.calibration import calibration_error, reliability
    from dagster_project.evaluation.footprint import measure_latency, measure_size, parity_claims
    from dagster_project.evaluation.slices import measure_slices
    from dagster_project.inference.frames import tensors

    found, rows = [measure_size(model.data), *parity_claims(model.manifest)], parts["validation"]
    for gate in rules.gates:
        match gate:
            case SlicesGate():
                columns = {name: _column(rows.challenger, name) for name in gate.by}
                positive, seed = rules.spec.positive, rules.spec.search.seed
                found += measure_slices(gate, answers, rows.labels, columns, rules.spec.task, positive, seed)
            case BaselineGate():
                found += _over_baselines(rules.spec, model, answers, parts, contract)
            case RobustnessGate() | BehaviourGate():
                found += _tested(gate, rules.spec, model, rows)
            case NearDuplicatesGate():
                found.append(_near_duplicates(model, parts, contract))
            case CalibrationGate():
                found.append(calibration_error(reliability(answers, rows.labels, rules.spec.positive)))
            case LatencyGate():
                sample = tensors(rows.challenger.head(gate.batch), model.manifest.inputs)
                found.append(measure_latency(model.predictor, sample, gate.batch))
    return found


def _over_baselines(
    spec: ModelSpec, model: JudgedModel, answers: Answers, parts: Mapping[str, JudgedRows], contract: DataContract
) -> list[Measurement]:
    from dagster_project.evaluation.baseline import baseline_gain, baselines
    from dagster_project.inference.frames import tensors

    inputs, train, rows = model.manifest.inputs, parts["train"], parts["validation"]
    known, seen = (tensors(part.challenger, inputs) for part in (train, rows))
    ahead = (horizon_steps(spec, contract), season_steps(spec, contract))
    told = baselines(answers, inputs, (known, train.labels), seen, ahead)
    return [baseline_gain(answers, each, rows.labels, spec.task, name, spec.search.seed) for name, each in told.items()]


def _tested(
    gate: RobustnessGate | BehaviourGate, spec: ModelSpec, model: JudgedModel, rows: JudgedRows
) -> list[Measurement]:
    from dagster_project.evaluation.behaviour import measure_behaviour
    from dagster_project.evaluation.robustness import measure_robustness
    from dagster_project.inference.frames import tensors

    predict, inputs, positive = model.predictor.predict, model.manifest.inputs, spec.positive
    columns = tensors(rows.challenger, inputs)
    if isinstance(gate, BehaviourGate):
        return [measure_behaviour(test, predict, columns, positive) for test in gate.tests]
    return measure_robustness(
        gate.metric, gate.changes, predict, columns, rows.labels, inputs, positive, spec.search.seed
    )


def _near_duplicates(model: JudgedModel, parts: Mapping[str, JudgedRows], contract: DataContract) -> Measurement:
    from dagster_project.quality.near_duplicates import measure_near_duplicates

    read = [column for column in contract.columns if column.name in model.manifest.features]
    return measure_near_duplicates(parts["train"].challenger, parts["validation"].challenger, read)


def model_facts(
    spec: ModelSpec,
    store: ArtifactStore,
    challenger: JudgedModel,
    champion: JudgedModel | None,
    answers: dict[str, Answers],
    rows: dict[str, JudgedRows],
    importances: Importances,
    champion_measurements: Iterable[Measurement],
) -> Facts:
    """What the report draws. ``answers``: of the challenger and the champion to the validation rows."""
    from dagster_project.evaluation import calibration

    labels = rows["validation"].labels
    curves: list[Any] = []
    parts: dict[str, Any] = {}
    if spec.task == "regression":
        parts["residuals"] = calibration.residuals(answers["challenger"], labels)
    else:
        for name, given in answers.items():
            curves += calibration.roc_curves(given, labels, name, spec.positive)
        parts["reliability"] = calibration.reliability(answers["challenger"], labels, spec.positive)
    return Facts(
        task=spec.task,
        family=challenger.manifest.family,
        parameters=challenger.manifest.parameters,
        champion_family=champion.manifest.family if champion else None,
        champion=tuple(champion_measurements),
        rows={name: len(part.labels) for name, part in rows.items() if name != "holdout"},
        search_metric=spec.search.metric,
        trials=_trials(store, challenger),
        roc=tuple(curves),
        importances=importances,
        headroom=headroom_of(store, challenger),
        **parts,
    )


def _trials(store: ArtifactStore, model: JudgedModel) -> tuple[Trial, ...]:
    entry = model.manifest.files.get(TRIALS)
    return tuple(Trial.model_validate(row) for row in json.loads(store.get(entry.digest))) if entry else ()


def _column(frame: pl.DataFrame, name: str) -> np.ndarray:
    return frame.get_column(name).to_numpy()
