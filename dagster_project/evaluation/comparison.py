"""Challenger against champion on the same rows.

The limit that decides is the least of what three views allow:

- the test's own: DeLong's normal limit for roc_auc, the BCa limit of the paired bootstrap otherwise;
- the normal limit with the bootstrap's standard error, since a bootstrap of a handful of differing rows has too short
  a tail (six rows, all won, leave the resampled difference above 0 in 99.75 % of draws; a sign test says 1 in 64);
- what is left of it without the most favourable row: a gain that hangs on one row is none.

With hundreds of differing rows the three agree, and a gate's power is the test's.
"""

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from dagster_project.domain.metrics import METRICS
from dagster_project.domain.verdict import Comparison
from dagster_project.inference.predictor import Answers

from .auc import placements
from .bootstrap import bca_limit, draws_for, replicates
from .metrics import Positive, positive_scores, statistic

if TYPE_CHECKING:
    import numpy as np


def compare(
    metric: str,
    challenger: Answers,
    champion: Answers,
    labels: "np.ndarray",
    *,
    rows: str,
    significance: float,
    positive: Positive = None,
    seed: int = 0,
) -> Comparison:
    """The gain of ``challenger`` over ``champion`` on rows with ``labels`` (n,), positive when it is better.

    ``significance`` is the one-sided level of the lower limit. The same seed gives the same limit.
    """
    test = _delong if metric == "roc_auc" else _paired_bootstrap
    method: Literal["delong", "paired_bootstrap"] = "delong" if metric == "roc_auc" else "paired_bootstrap"
    gain, error, low = test(metric, challenger, champion, labels, significance, positive, seed)
    return Comparison(
        metric=metric,
        rows=rows,
        gain=gain,
        standard_error=error,
        low=low,
        significance=significance,
        count=len(labels),
        method=method,
    )


def _delong(
    metric: str,
    challenger: Answers,
    champion: Answers,
    labels: "np.ndarray",
    significance: float,
    positive: Positive,
    seed: int,
) -> tuple[float, float, float]:
    import numpy as np

    pairs = [positive_scores(answers, labels, positive) for answers in (challenger, champion)]
    found = placements(np.stack([scores for scores, _ in pairs]), pairs[0][1])
    contrast = np.array([1.0, -1.0])
    gain = float(contrast @ found.areas)
    error = sqrt(max(0.0, float(contrast @ found.covariance() @ contrast)))
    low = gain + NormalDist().inv_cdf(significance) * error - max(0.0, found.largest_influence(contrast))
    return gain, error, low


def _paired_bootstrap(
    metric: str,
    challenger: Answers,
    champion: Answers,
    labels: "np.ndarray",
    significance: float,
    positive: Positive,
    seed: int,
) -> tuple[float, float, float]:
    import numpy as np

    sign = 1.0 if METRICS[metric].greater_is_better else -1.0
    new, old = (statistic(metric, answers, labels, positive) for answers in (challenger, champion))
    gain = sign * (new.value() - old.value())
    influence = sign * (new.influence() - old.influence())
    generator = np.random.default_rng(seed)
    drawn = replicates([new, old], lambda a, b: sign * (a - b), draws_for(significance), generator)
    error = float(drawn.std())
    normal = gain + NormalDist().inv_cdf(significance) * error
    limit = min(bca_limit(drawn, gain, influence, significance), normal)
    return gain, error, limit - max(0.0, float(influence.max())) / len(labels)
