"""A metric as a function of weighted rows: the one form that value, interval and paired bootstrap share.

A resample of n rows is n weights that sum to n. Most metrics are a smooth function of the weighted means of a few
numbers a row (``Means``); average precision is a sum over ranks (``Ranks``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


class Statistic(Protocol):
    """What the bootstrap needs of a metric on n rows."""

    @property
    def codes(self) -> "np.ndarray":
        """(n,) which kind of row each is: rows of one kind are exchangeable in the metric."""

    @property
    def kinds(self) -> int:
        """How many kinds there can be; n where every row is its own."""

    def at(self, kinds: "np.ndarray", weights: "np.ndarray") -> "np.ndarray":
        """The metric (draws,) of ``weights`` (draws, m), which lie on rows of the given ``kinds`` (m,)."""

    def influence(self) -> "np.ndarray":
        """(n,) n times what the metric loses when the row is left out (jackknife influence values)."""


@dataclass(frozen=True)
class Means:
    """``reduce`` maps weighted means (..., k) to the metric (...). ``cells`` (m, k) holds each kind's numbers."""

    cells: "np.ndarray"
    codes: "np.ndarray"
    reduce: "Callable[[np.ndarray], np.ndarray]"

    @property
    def kinds(self) -> int:
        return len(self.cells)

    @property
    def counted(self) -> bool:
        """Whether few kinds of rows exist, so that counting them tells all."""
        return len(self.cells) < len(self.codes)

    @cached_property
    def counts(self) -> "np.ndarray":
        """(m,) rows of each kind."""
        import numpy as np

        return np.bincount(self.codes, minlength=len(self.cells))

    def value(self) -> float:
        """The metric on all rows."""
        return float(self.reduce(self.counts @ self.cells / len(self.codes)))

    def at(self, kinds: "np.ndarray", weights: "np.ndarray") -> "np.ndarray":
        return self.reduce(weights @ self.cells[kinds] / weights.sum(axis=1, keepdims=True))

    def influence(self) -> "np.ndarray":
        import numpy as np

        count = len(self.codes)
        total = self.counts @ self.cells
        without = self.reduce((total - self.cells) / max(1, count - 1))
        present = np.where(self.counts > 0, self.value() - without, 0.0)
        values: np.ndarray = count * present[self.codes]
        return values


@dataclass(frozen=True)
class Ranks:
    """Average precision (scikit-learn's step-wise sum) of ``scores`` (n,) for ``positive`` (n,) booleans."""

    scores: "np.ndarray"
    positive: "np.ndarray"

    @property
    def codes(self) -> "np.ndarray":
        import numpy as np

        return np.arange(len(self.scores))

    @property
    def kinds(self) -> int:
        return len(self.scores)

    @cached_property
    def _order(self) -> "tuple[np.ndarray, np.ndarray]":
        """Rows by falling score, and where in that order each run of equal scores ends."""
        import numpy as np

        order = np.argsort(-self.scores, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(self.scores[order]) != 0, True))
        return order, ends

    def value(self) -> float:
        """The metric on all rows."""
        import numpy as np

        return float(self.at(self.codes, np.ones((1, len(self.scores))))[0])

    def at(self, kinds: "np.ndarray", weights: "np.ndarray") -> "np.ndarray":
        import numpy as np

        order, ends = self._order
        ranked = np.zeros((len(weights), len(self.scores)))
        ranked[:, kinds] = weights
        ranked = ranked[:, order]
        found = np.cumsum(ranked * self.positive[order], axis=1)[:, ends]
        listed = np.cumsum(ranked, axis=1)[:, ends]
        precision = np.divide(found, listed, out=np.zeros_like(found), where=listed > 0)
        total = found[:, -1]
        steps = np.diff(found, axis=1, prepend=0.0)
        score: np.ndarray = (precision * steps).sum(axis=1) / np.where(total > 0, total, 1.0)
        return score

    def influence(self) -> "np.ndarray":
        """Infinitesimal jackknife: n times the derivative of the metric by the row's weight."""
        import numpy as np

        order, ends = self._order
        positive = self.positive[order]
        found, listed = np.cumsum(positive)[ends], ends + 1.0
        steps = np.diff(found, prepend=0)
        later_if_hit = np.cumsum((steps * (listed - found) / listed**2)[::-1])[::-1]
        later_if_miss = np.cumsum((-steps * found / listed**2)[::-1])[::-1]
        run = np.searchsorted(ends, np.arange(len(order)))
        hit = found[run] / listed[run] + later_if_hit[run] - self.value()
        ranked = np.where(positive, hit, later_if_miss[run]) / max(1, found[-1])
        influence = np.empty(len(order))
        influence[order] = ranked
        return influence * len(order)
