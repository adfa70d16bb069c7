"""Reliability of probabilities and what a plot of answers needs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_project.domain.facts import Curve, Histogram, ReliabilityBin
from dagster_project.domain.verdict import Measurement
from dagster_project.inference.predictor import Answers, encode

from .metrics import Positive, position, scores_of

if TYPE_CHECKING:
    import numpy as np

BINS = 10
POINTS = 100
CALIBRATION_ERROR = "calibration_error"


def reliability(answers: Answers, labels: "np.ndarray", positive: Positive = None) -> tuple[ReliabilityBin, ...]:
    """At most ten bins of equally many rows, by rising probability; equal probabilities share a bin.

    Two classes: of the positive one. More: of the most probable class, against whether it was right (Guo et al. 2017).
    """
    import numpy as np

    predicted, observed = _confidence(answers, labels, positive)
    edges = np.unique(np.quantile(predicted, np.arange(1, BINS) / BINS, method="lower"))
    bins = np.searchsorted(edges, predicted, side="left")
    groups = (bins == number for number in range(len(edges) + 1))
    return tuple(
        ReliabilityBin(
            predicted=float(predicted[group].mean()), observed=float(observed[group].mean()), count=int(group.sum())
        )
        for group in groups
        if group.any()
    )


def calibration_error(bins: Sequence[ReliabilityBin], rows: str = "validation") -> Measurement:
    """Expected calibration error: mean distance of predicted and observed, weighted by the bins' rows."""
    count = sum(part.count for part in bins)
    distance = sum(part.count * abs(part.predicted - part.observed) for part in bins) / count
    return Measurement(metric=CALIBRATION_ERROR, rows=rows, value=distance, count=count, method="equal_count_bins")


def roc_curves(answers: Answers, labels: "np.ndarray", name: str, positive: Positive = None) -> tuple[Curve, ...]:
    """The ROC curve, thinned to about a hundred points; more than two classes: one a class against the rest."""
    truth = encode(labels, answers.classes)
    binary = len(answers.classes) == 2
    columns = [position(answers, positive)] if binary else list(range(len(answers.classes)))
    scores = scores_of(answers)
    return tuple(
        Curve(
            name=name if binary else f"{name}: {answers.classes[column]}",
            points=_roc(scores[:, column], truth == column),
        )
        for column in columns
        if 0 < (truth == column).sum() < len(truth)
    )


def residuals(answers: Answers, labels: "np.ndarray") -> Histogram:
    """Answers minus labels, in thirty bins from the 0.5 % to the 99.5 % quantile; what lies beyond is in the last."""
    import numpy as np

    differences = np.asarray(answers.values) - labels.astype(float)
    low, high = np.quantile(differences, [0.005, 0.995])
    counts, edges = np.histogram(np.clip(differences, low, high), bins=30, range=(low, high))
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))


def _confidence(answers: Answers, labels: "np.ndarray", positive: Positive) -> "tuple[np.ndarray, np.ndarray]":
    truth, scores = encode(labels, answers.classes), scores_of(answers)
    if len(answers.classes) == 2:
        column = position(answers, positive)
        return scores[:, column], (truth == column).astype(float)
    return scores.max(axis=1), (scores.argmax(axis=1) == truth).astype(float)


def _roc(scores: "np.ndarray", positive: "np.ndarray") -> tuple[tuple[float, float], ...]:
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = np.cumsum(positive[order])[ends]
    falses = ends + 1 - hits
    x, y = (np.concatenate([[0.0], part / part[-1]]) for part in (falses, hits))
    kept = np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(int))
    return tuple(zip(x[kept].tolist(), y[kept].tolist(), strict=True))
