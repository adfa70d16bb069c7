"""A small regression tree by absolute error: scikit-learn's rules, O(n log n) a node instead of O(n^2).

deepchecks looks for weak segments with hundreds of ``DecisionTreeRegressor(criterion="absolute_error")``. Up to
version 1.7 each of their splits sums the deviations from both medians anew. Here the medians of every prefix and
suffix come out of one wavelet matrix (Claude, Navarro and Ordonez 2015, doi:10.1016/j.is.2014.06.002), all splits
at once, and what a node's best split is, is remembered: trees over pairs of features share their upper nodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_SAME_VALUE = 1e-7  # scikit-learn's FEATURE_THRESHOLD
_NO_ERROR = 2.220446049250313e-16  # scikit-learn's EPSILON
_TIE = 1e-12

Step = tuple[int, float, bool]  # feature, threshold, above it
Path = tuple[Step, ...]


@dataclass(frozen=True)
class Split:
    """``threshold``: rows at or below it go left. Sums of absolute deviations from the median on both sides."""

    threshold: float
    left: float
    right: float

    @property
    def cost(self) -> float:
        """What the split leaves."""
        return self.left + self.right


@dataclass(frozen=True)
class Limits:
    """When a node is not split."""

    depth: int
    samples_leaf: int
    weight_leaf: float
    decrease: float


@dataclass
class AbsoluteTrees:
    """Grows trees over some columns of one table of rows. ``columns``: float32 by name; ``target``: float64."""

    columns: Mapping[str, "np.ndarray"]
    target: "np.ndarray"
    known: dict[Any, Split | None] = field(default_factory=dict)

    def leaves(self, names: tuple[str, ...], rows: "np.ndarray", limits: Limits) -> list[Path]:
        """Paths to the leaves, left to right; ``rows`` are the numbers of the rows to learn from, ascending."""
        return self._grow(names, rows, self._deviation(rows), (), limits, len(rows))

    def _grow(
        self, names: tuple[str, ...], rows: "np.ndarray", deviation: float, path: Path, limits: Limits, total: int
    ) -> list[Path]:
        size = len(rows)
        small = size < max(2, 2 * limits.samples_leaf) or size < 2 * limits.weight_leaf
        if len(path) >= limits.depth or small or deviation / size <= _NO_ERROR:
            return [path]
        found = [(split, place) for place, name in enumerate(names) if (split := self._best(name, rows, limits))]
        if not found:
            return [path]
        split, place = min(found, key=lambda pair: pair[0].cost)
        if (deviation - split.cost) / total + _NO_ERROR < limits.decrease:
            return [path]
        below = self.columns[names[place]][rows] <= split.threshold
        steps = (place, split.threshold)
        return self._grow(names, rows[below], split.left, (*path, (*steps, False)), limits, total) + self._grow(
            names, rows[~below], split.right, (*path, (*steps, True)), limits, total
        )

    def _best(self, name: str, rows: "np.ndarray", limits: Limits) -> Split | None:
        from hashlib import blake2b

        key = (name, limits, blake2b(rows.tobytes(), digest_size=16).digest())
        if key not in self.known:
            self.known[key] = best_split(self.columns[name][rows], self.target[rows], limits)
        return self.known[key]

    def _deviation(self, rows: "np.ndarray") -> float:
        import numpy as np

        target = self.target[rows]
        return float(np.abs(target - np.median(target)).sum())


def best_split(column: "np.ndarray", target: "np.ndarray", limits: Limits) -> Split | None:
    """The first of the splits with the least sum of absolute deviations; None where no split is allowed."""
    import numpy as np

    order = np.argsort(column, kind="stable")
    values = column[order]
    cuts = np.flatnonzero(values[1:] > values[:-1] + np.float32(_SAME_VALUE)) + 1
    smallest = max(limits.samples_leaf, limits.weight_leaf)
    cuts = cuts[(cuts >= smallest) & (len(values) - cuts >= smallest)]
    if not len(cuts):
        return None
    left, right = deviations(target[order], cuts)
    cost = left + right
    place = int(np.flatnonzero(cost <= cost.min() * (1 + _TIE))[0])
    cut = cuts[place]
    low, high = float(values[cut - 1]), float(values[cut])
    middle = low / 2.0 + high / 2.0
    threshold = low if middle == high or not np.isfinite(middle) else middle
    return Split(threshold, float(left[place]), float(right[place]))


def deviations(target: "np.ndarray", cuts: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """Sums of absolute deviations from the median of ``target[:cut]`` and of ``target[cut:]``, for every cut."""
    import numpy as np

    size = len(target)
    values = target - np.median(target)  # smaller numbers, smaller rounding errors
    rank = np.empty(size, dtype=np.int32)
    rank[np.argsort(values, kind="stable")] = np.arange(size, dtype=np.int32)
    low = np.concatenate([np.zeros_like(cuts), cuts])
    high = np.concatenate([cuts, np.full_like(cuts, size)])
    count = high - low
    half = (count - 1) // 2
    total = _running(values)
    whole = total[high] - total[low]
    median, below = _medians(values, rank, low, high, half)
    spread = (whole - below) - median * (count - half) + median * half - below
    spread = np.maximum(spread, 0.0)
    return spread[: len(cuts)], spread[len(cuts) :]


def _medians(
    values: "np.ndarray", rank: "np.ndarray", low: "np.ndarray", high: "np.ndarray", wanted: "np.ndarray"
) -> "tuple[np.ndarray, np.ndarray]":
    """The ``wanted``-th smallest of each stretch ``low:high``, and the sum of those before it, bit by bit."""
    import numpy as np

    below = np.zeros(len(low))
    for bit in reversed(range(max(1, int(len(rank) - 1).bit_length()))):
        zero = (rank >> bit) & 1 == 0
        zeros, sums = _running(zero), _running(np.where(zero, values, 0.0))
        before_low, before_high = zeros[low], zeros[high]
        inside = before_high - before_low
        above = wanted >= inside
        below += np.where(above, sums[high] - sums[low], 0.0)
        wanted = np.where(above, wanted - inside, wanted)
        low = np.where(above, zeros[-1] + low - before_low, before_low)
        high = np.where(above, zeros[-1] + high - before_high, before_high)
        rank = np.concatenate([rank[zero], rank[~zero]])
        values = np.concatenate([values[zero], values[~zero]])
    return values[low], below


def _running(values: "np.ndarray") -> "np.ndarray":
    import numpy as np

    sums = np.zeros(len(values) + 1, dtype=np.float64 if values.dtype == np.float64 else np.int64)
    np.cumsum(values, out=sums[1:])
    return sums
