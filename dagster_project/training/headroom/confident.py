"""Confident learning (Northcutt, Jiang and Chuang 2021, sections 3 and 4), and how much of it honest doubt explains.

``scores`` are out-of-fold probabilities (n, classes), ``given`` (n,) the labels' places among the classes.
"""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from dagster_project.domain.headroom_report import Interval

if TYPE_CHECKING:
    import numpy as np

GROUPS = 20
DRAWS = 10
LIMIT = 1.96


@dataclass(frozen=True)
class Joint:
    """``counts`` (classes, classes) of given by expected class; ``expected`` (n,), -1 where no class is confident.

    ``share`` is what stands off the diagonal, each row scaled to the labels that its class has (equation 3).
    """

    thresholds: "np.ndarray"
    counts: "np.ndarray"
    expected: "np.ndarray"
    share: float


def confident_joint(scores: "np.ndarray", given: "np.ndarray") -> Joint:
    """A row is counted for the likeliest class whose mean self-confidence it reaches (equations 1 and 2)."""
    import numpy as np

    classes = scores.shape[1]
    labels = np.bincount(given, minlength=classes)
    own = np.bincount(given, weights=scores[np.arange(len(given)), given], minlength=classes)
    thresholds = np.where(labels > 0, own / np.maximum(labels, 1), np.inf)
    reached = np.where(scores >= thresholds, scores, -1.0)
    expected = np.where(reached.max(axis=1) >= 0, reached.argmax(axis=1), -1)
    counted = expected >= 0
    counts = np.bincount(given[counted] * classes + expected[counted], minlength=classes**2).reshape(classes, classes)
    totals = counts.sum(axis=1)
    off = np.where(totals > 0, 1 - np.diag(counts) / np.maximum(totals, 1), 0.0)
    return Joint(thresholds, counts, expected, float((labels * off).sum() / len(given)))


def margins(scores: "np.ndarray", given: "np.ndarray") -> "np.ndarray":
    """(n,) probability of the label less that of the best other class: the less, the more suspect."""
    import numpy as np

    others = scores.copy()
    others[np.arange(len(given)), given] = -1.0
    found: np.ndarray = scores[np.arange(len(given)), given] - others.max(axis=1)
    return found


def floor(scores: "np.ndarray", given: "np.ndarray") -> Interval:
    """The share of labels contradicted for another reason than doubt, as far as confidence tells.

    Wrong labels are contradicted as often where the model is surest as where it is a little less sure; honest doubt
    falls. So: a line through the surest half's contradictions by rank, where it ends at the surest row. The upper limit
    is that of the surest quarter's rate: if every label there can be known, no more than that are wrong.
    """
    import numpy as np

    wrong = (scores.argmax(axis=1) != given)[np.argsort(-scores.max(axis=1), kind="stable")]
    half, quarter = wrong[: len(wrong) // 2], wrong[: len(wrong) // 4]
    rank = np.linspace(-0.5, 0.5, len(half))
    rise = float((rank * half).sum() / (rank**2).sum())
    surest = float(quarter.mean())
    found, error = float(half.mean()) - rise / 2, 2 * _error(float(half.mean()), len(half))
    value = max(0.0, min(found, surest))
    low, high = max(0.0, min(value, found - LIMIT * error)), max(value, surest + LIMIT * _error(surest, len(quarter)))
    return Interval(value=value, low=low, high=min(1.0, high))


def _error(rate: float, rows: int) -> float:
    """Agresti and Coull 1998: it does not vanish where nothing was seen."""
    middle = (rate * rows + 2) / (rows + 4)
    return sqrt(middle * (1 - middle) / (rows + 4))


def honest_share(scores: "np.ndarray", given: "np.ndarray", noise: float, seed: int) -> float:
    """The joint's share, were all labels right and the model as unsure as it is but for a share ``noise`` of them.

    Labels are drawn from the answers: contradicted as often as in their group of like confidence, ``noise`` taken off.
    """
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(seed))
    answered, doubt = scores.argmax(axis=1), _doubt(scores, given, noise)
    others = scores.copy()
    others[np.arange(len(given)), answered] = 0.0
    ladder = np.cumsum(others + 1e-12, axis=1)
    shares = []
    for _ in range(DRAWS):
        steps = generator.random(len(given))[:, None] * ladder[:, -1:]
        other = np.minimum((steps > ladder).sum(axis=1), scores.shape[1] - 1)
        drawn = np.where(generator.random(len(given)) < doubt, other, answered)
        shares.append(confident_joint(scores, drawn).share)
    return float(np.mean(shares))


def _doubt(scores: "np.ndarray", given: "np.ndarray", noise: float) -> "np.ndarray":
    """(n,) how often an honest label contradicts the answer."""
    import numpy as np

    wrong, doubt = scores.argmax(axis=1) != given, np.empty(len(given))
    for group in np.array_split(np.argsort(-scores.max(axis=1), kind="stable"), GROUPS):
        doubt[group] = max(0.0, (wrong[group].mean() - noise) / max(1e-9, 1 - 2 * noise)) if len(group) else 0.0
    return np.clip(doubt, 0.0, 1.0)
