"""Drift of inputs, answers and labels: the newest whole window against what the champion learned from."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dagster_project.domain.drift import DriftReport
from dagster_project.domain.monitoring import DriftCheck
from dagster_project.monitoring.drift_rows import (
    LABEL,
    PREDICTION,
    Side,
    labels_of,
    reference_of,
    window_of,
)
from dagster_project.monitoring.drift_threshold import Thresholds, calibrate, in_mix, scores_between
from dagster_project.monitoring.drift_words import described
from dagster_project.monitoring.kept import kept
from dagster_project.monitoring.multivariate_drift import DOMAIN, domain_drift
from dagster_project.monitoring.watched import Watched
from dagster_project.monitoring.windows import length_of, newest_before
from dagster_project.storage.ledger import Ledger

if TYPE_CHECKING:
    import numpy as np

LEDGER = "drift"
METHOD = 3  # raised when the same rows would be calibrated otherwise


def look(watched: Watched, now: datetime) -> DriftReport:
    """Compare the newest whole window; labels of the newest one that has matured.

    Raises:
        MachineryError: a table, the store or the ledger can't be read or written.
    """
    spec = watched.spec.monitoring.drift
    begin, end = newest_before(now.date(), spec.window)
    window, reference = window_of(watched, begin, end), reference_of(watched)
    report = DriftReport(
        model=watched.spec.name, now=now, begin=begin, end=end, rows=len(window), season=spec.season,
        checks=spec.checks, alarms=spec.alarms, severity=spec.severity,
    )  # fmt: skip
    if reference is None:
        report = report.model_copy(update={"skipped": "the rows that the champion learned from are not kept here."})
    elif len(window) < spec.minimum_rows:
        words = f"{len(window):,} answers have their inputs logged; {spec.minimum_rows:,} are asked for."
        report = report.model_copy(update={"skipped": words})
    else:
        report = report.model_copy(update=_compared(watched, reference, window, now))
    Ledger(watched.workspace.ledger, LEDGER).append(report.ledger_row())
    return report


def _compared(watched: Watched, reference: Side, window: Side, now: datetime) -> dict[str, Any]:
    import numpy as np

    spec, generator = watched.spec.monitoring.drift, np.random.default_rng(0)
    unseen = sorted(set(window.season.tolist()) - set(reference.season.tolist()))
    like = np.flatnonzero(~np.isin(window.season.astype(str), unseen))
    window = window.take(np.sort(generator.permutation(like)[: spec.most_rows]))
    if len(window) < spec.minimum_rows:
        return {"unseen": tuple(unseen), "skipped": "the reference has nothing like these times of the season."}
    labels = _labels(watched, now)[: spec.most_rows] if "LabelDrift" in spec.checks else np.empty(0)
    days = length_of(spec.window)
    usual = _thresholds(watched, reference, len(window), len(labels), days)
    like_window = in_mix(reference, window, generator)
    with_labels = Side({**window.columns, **({LABEL: labels} if len(labels) else {})}, window.season, window.day)
    scores = scores_between(like_window, with_labels)
    columns = [
        described(name, check, score, usual.of(name), like_window.columns[name], with_labels.columns[name])
        for name, score in scores.items()
        if (check := _check(name)) in spec.checks
    ]
    if DOMAIN in spec.checks:
        columns.append(domain_drift(reference, window, reference.inputs, spec.alarms, days))
    return {
        "compared": len(window), "reference": len(reference), "columns": tuple(columns), "unseen": tuple(unseen),
        "blocks": usual.blocks,
    }  # fmt: skip


def _check(name: str) -> DriftCheck:
    return {PREDICTION: "PredictionDrift", LABEL: "LabelDrift"}.get(name, "FeatureDrift")  # type: ignore[return-value]


def _labels(watched: Watched, now: datetime) -> "np.ndarray":
    """What happened in the newest window that has matured."""
    return labels_of(watched, *newest_before(watched.matured_before(now), watched.spec.monitoring.drift.window), now)


def _thresholds(watched: Watched, reference: Side, rows: int, labels: int, days: int) -> Thresholds:
    """Calibrated once for windows of about this size; kept beside the model's tables."""
    spec = watched.spec.monitoring.drift
    about = [_about(rows), _about(labels), days]
    asked = spec.model_dump(mode="json", include={"checks", "columns", "season", "alarms", "most_rows"})

    def calibrated() -> dict[str, Any]:
        wanted = {name: column for name, column in reference.columns.items() if _check(name) in spec.checks}
        side = Side(wanted, reference.season, reference.day)
        return vars(calibrate(side, about[0], about[1], days, spec.alarms))

    return Thresholds(**kept(watched, "thresholds", [METHOD, asked, about, sorted(reference.columns)], calibrated))


def _about(rows: int) -> int:
    """So many rows to two digits, rounded down: fewer rows scatter more, so that the threshold is not too low."""
    digits = max(0, len(f"{rows}") - 2)
    unit: int = 10**digits
    return rows // unit * unit
