"""Metrics of one model's answers, with two-sided confidence intervals."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dagster_project.domain.families import Task
from dagster_project.domain.verdict import Measurement
from dagster_project.inference.predictor import Answers

from .auc import interval, placements
from .bootstrap import bca_limit, draws_for, jeffreys, replicates
from .metrics import Positive, defined, positive_scores, statistic
from .statistic import Means

if TYPE_CHECKING:
    import numpy as np

DRAWS = 10_000


def measure(
    answers: Answers,
    labels: "np.ndarray",
    task: Task,
    metrics: Iterable[str],
    *,
    rows: str,
    confidence: float = 0.95,
    positive: Positive = None,
    slice: str | None = None,
    seed: int = 0,
) -> list[Measurement]:
    """One measurement a metric that is defined on ``labels`` (n,): area under a curve of one class is not.

    Intervals: DeLong for roc_auc, Jeffreys' posterior for counts (accuracy, balanced accuracy, F1), BCa otherwise.
    The same seed gives the same intervals.
    """
    found = []
    for metric in metrics:
        if not defined(metric, task, labels):
            continue
        value, low, high, method = _interval(metric, answers, labels, confidence, positive, seed)
        found.append(
            Measurement(
                metric=metric,
                rows=rows,
                value=value,
                low=low,
                high=high,
                confidence=confidence,
                count=len(labels),
                slice=slice,
                method=method,
            )
        )
    return found


def point(metric: str, answers: Answers, labels: "np.ndarray", positive: Positive = None) -> float:
    """The metric's value alone."""
    if metric == "roc_auc":
        scores, hits = positive_scores(answers, labels, positive)
        return float(placements(scores[None], hits).areas[0])
    return statistic(metric, answers, labels, positive).value()


def _interval(
    metric: str, answers: Answers, labels: "np.ndarray", confidence: float, positive: Positive, seed: int
) -> tuple[float, float, float, str]:
    import numpy as np

    if metric == "roc_auc":
        scores, hits = positive_scores(answers, labels, positive)
        found = placements(scores[None], hits)
        area, smaller = float(found.areas[0]), int(min(hits.sum(), (~hits).sum()))
        variance = float(found.covariance()[0, 0]) if smaller > 1 else 0.25
        return area, *interval(area, variance, smaller, confidence), "delong"
    estimate = statistic(metric, answers, labels, positive)
    tail, generator = (1 - confidence) / 2, np.random.default_rng(seed)
    value = estimate.value()
    if isinstance(estimate, Means) and estimate.cells.shape[0] != len(labels):
        drawn = jeffreys(estimate, DRAWS, generator)
        low, high = np.quantile(drawn, [tail, 1 - tail])
        return value, min(value, float(low)), max(value, float(high)), "jeffreys"
    drawn = replicates([estimate], lambda values: values, min(DRAWS, draws_for(tail)), generator)
    influence = estimate.influence()
    limits = [bca_limit(drawn, value, influence, level) for level in (tail, 1 - tail)]
    return value, min(value, limits[0]), max(value, limits[1]), "bca"
