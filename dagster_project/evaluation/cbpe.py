"""Performance that is to be expected where no label is known: confidence-based (CBPE).

A calibrated probability says how often an answer like this one is right, so that every count of a confusion matrix
has an expectation without a label (Guo et al. 2017 on calibration; Garg et al. 2022 and NannyML's CBPE on what follows
of it). It holds as long as the calibration does: inputs may drift, what they mean for the label may not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ESTIMATED = ("roc_auc", "average_precision", "accuracy", "balanced_accuracy", "f1", "log_loss", "brier")
DRAWS = 200
MOST_ROWS = 20_000
EPSILON = 1.1920929e-07
"""float32's, by which evaluation/metrics.py clips too."""


@dataclass(frozen=True)
class Estimate:
    """An expected metric, and where 95 of 100 realised ones lie if the calibration holds."""

    value: float
    low: float
    high: float


class Calibration:
    """Isotonic regression of outcomes on scores (Zadrozny and Elkan 2002), learnt where labels are known.

    ``scores`` (n,) are probabilities of the positive class, ``hits`` (n,) whether the row is of it.
    """

    def __init__(self, scores: "np.ndarray", hits: "np.ndarray") -> None:
        from sklearn.isotonic import IsotonicRegression

        self._fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
        self._fitted.fit(scores, hits.astype(float))

    def chances(self, scores: "np.ndarray") -> "np.ndarray":
        """Probability (n,) that each row is of the positive class."""
        found: np.ndarray = self._fitted.predict(scores)
        return found


def estimate(
    metric: str, scores: "np.ndarray", chances: "np.ndarray", said: "np.ndarray", seed: int = 0
) -> Estimate | None:
    """``metric`` of two classes as ``chances`` (n,) let expect it; None for a metric that has no estimate.

    ``scores`` (n,) are the model's own probabilities and ``said`` (n,) whether it answered the positive class. The
    interval is that of the realised metric, by drawing labels; more than 20,000 rows are sampled for it.
    """
    import numpy as np

    if metric not in _METRICS or not len(scores):
        return None
    value = float(_METRICS[metric](scores, said)(chances[None])[0])
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(scores))[:MOST_ROWS])
    reduce, expected = _METRICS[metric](scores[rows], said[rows]), chances[rows]
    drawn = np.concatenate([reduce(generator.random((20, len(rows))) < expected) for _ in range(DRAWS // 20)])
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    shrunk = (len(rows) / len(scores)) ** 0.5
    return Estimate(value, min(value, value - (value - low) * shrunk), max(value, value + (high - value) * shrunk))


Reduce = Callable[["np.ndarray"], "np.ndarray"]
"""Metric (k,) of k sets of labels (k, n): outcomes, or their probabilities, which gives the expectation."""


def _accuracy(scores: "np.ndarray", said: "np.ndarray") -> Reduce:
    return lambda hits: _share(hits, said) + _share(1 - hits.astype(float), ~said)


def _balanced_accuracy(scores: "np.ndarray", said: "np.ndarray") -> Reduce:
    def reduce(hits: "np.ndarray") -> "np.ndarray":
        misses = 1 - hits.astype(float)
        found: np.ndarray = _ratio(_share(hits, said), hits.mean(axis=1))
        found = (found + _ratio(_share(misses, ~said), misses.mean(axis=1))) / 2
        return found

    return reduce


def _f1(scores: "np.ndarray", said: "np.ndarray") -> Reduce:
    def reduce(hits: "np.ndarray") -> "np.ndarray":
        return _ratio(2 * _share(hits, said), hits.mean(axis=1) + said.mean())

    return reduce


def _log_loss(scores: "np.ndarray", said: "np.ndarray") -> Reduce:
    import numpy as np

    kept = np.clip(scores, EPSILON, 1 - EPSILON)
    return lambda hits: -(hits @ np.log(kept) + (1 - hits.astype(float)) @ np.log(1 - kept)) / len(scores)


def _brier(scores: "np.ndarray", said: "np.ndarray") -> Reduce:
    return lambda hits: (hits @ (1 - scores) ** 2 + (1 - hits.astype(float)) @ scores**2) / len(scores)


def _roc_auc(scores: "np.ndarray", said: "np.ndarray") -> Reduce:
    import numpy as np

    order, ends = _ordered(scores)

    def reduce(hits: "np.ndarray") -> "np.ndarray":
        right, wrong = _curves(hits, order, ends)
        area = (np.diff(wrong, axis=1) * (right[:, 1:] + right[:, :-1]) / 2).sum(axis=1)
        return _ratio(area, right[:, -1] * wrong[:, -1])

    return reduce


def _average_precision(scores: "np.ndarray", said: "np.ndarray") -> Reduce:
    import numpy as np

    order, ends = _ordered(scores)

    def reduce(hits: "np.ndarray") -> "np.ndarray":
        right, wrong = _curves(hits, order, ends)
        precision = right[:, 1:] / (right + wrong)[:, 1:]
        return _ratio((np.diff(right, axis=1) * precision).sum(axis=1), right[:, -1])

    return reduce


def _ordered(scores: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """Places by falling score, and the last of each run of equal ones."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    return order, np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)


def _curves(hits: "np.ndarray", order: "np.ndarray", ends: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """True and false positives (k, thresholds + 1) at each threshold from the strictest."""
    import numpy as np

    ordered = hits[:, order].astype(float)
    right, wrong = np.cumsum(ordered, axis=1)[:, ends], np.cumsum(1 - ordered, axis=1)[:, ends]
    start = np.zeros((len(hits), 1))
    return np.hstack([start, right]), np.hstack([start, wrong])


def _share(hits: "np.ndarray", said: "np.ndarray") -> "np.ndarray":
    found: np.ndarray = hits @ said.astype(float) / len(said)
    return found


def _ratio(part: "np.ndarray", whole: "np.ndarray") -> "np.ndarray":
    import numpy as np

    found: np.ndarray = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
    return found


_METRICS: dict[str, Callable[["np.ndarray", "np.ndarray"], Reduce]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "log_loss": _log_loss,
    "brier": _brier,
}
