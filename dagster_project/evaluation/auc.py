"""Area under the ROC curve and its covariance: DeLong, DeLong, Clarke-Pearson 1988, in the O(n log n) form of
Sun and Xu 2014 (IEEE Signal Processing Letters 21:11, algorithm 2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Placements:
    """``areas`` (k,) of k models on the same rows, and each row's structural component.

    ``hits`` (k, positives) is the share of negatives ranked below each positive, ``misses`` (k, negatives) the share of
    positives ranked above each negative; ties count half.
    """

    areas: "np.ndarray"
    hits: "np.ndarray"
    misses: "np.ndarray"

    def covariance(self) -> "np.ndarray":
        """(k, k) covariance of the areas."""
        import numpy as np

        parts = [np.atleast_2d(np.cov(part)) / part.shape[1] for part in (self.hits, self.misses)]
        return np.asarray(parts[0] + parts[1])

    def largest_influence(self, contrast: "np.ndarray") -> float:
        """The most that one row adds to the contrast (k,) of the areas."""
        parts = (contrast @ self.hits, contrast @ self.misses)
        return max(float((part - part.mean()).max()) / len(part) for part in parts)


def placements(scores: "np.ndarray", positive: "np.ndarray") -> Placements:
    """Of ``scores`` (k, n) for ``positive`` (n,) booleans, which must hold both."""
    import numpy as np

    wins, losses = scores[:, positive], scores[:, ~positive]
    positives, negatives = wins.shape[1], losses.shape[1]
    overall = np.stack([_midranks(row) for row in scores])
    hits = (overall[:, positive] - np.stack([_midranks(row) for row in wins])) / negatives
    misses = 1 - (overall[:, ~positive] - np.stack([_midranks(row) for row in losses])) / positives
    return Placements(hits.mean(axis=1), hits, misses)


def _midranks(values: "np.ndarray") -> "np.ndarray":
    """Ranks from 1; equal values share the mean of theirs."""
    import numpy as np

    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def interval(area: float, variance: float, smaller_class: int, confidence: float) -> tuple[float, float]:
    """Two-sided interval on the logit scale, which stays within 0 and 1 (Pepe 2003, section 5.2.4).

    Where every pair is ranked alike DeLong's variance is 0 and says nothing; the rows of the smaller class are then
    taken as so many trials without a failure (Clopper and Pearson 1934).
    """
    from math import exp, log, sqrt
    from statistics import NormalDist

    tail = (1 - confidence) / 2
    bound = tail ** (1 / max(1, smaller_class))
    if area >= 1:
        return bound, 1.0
    if area <= 0:
        return 0.0, 1 - bound
    half = NormalDist().inv_cdf(1 - tail) * sqrt(max(variance, 0.0)) / (area * (1 - area))
    centre = log(area / (1 - area))
    return 1 / (1 + exp(min(700.0, half - centre))), 1 / (1 + exp(max(-700.0, -half - centre)))
