"""WeakSegmentsPerformance's search over a pair of features, with the same answer in a fraction of the time.

What the library searches: two decision trees on the errors of the sampled rows, one by squared and one by absolute
error; three-fold cross-validation picks the one whose worst leaf is worst; its worst leaf is the weak segment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dagster_project.quality.absolute_tree import AbsoluteTrees, Limits, Path

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_DEPTH, _SAMPLES, _DECREASE, _FOLDS = 5, 5, 0.003, 3  # the library's
Score = Callable[["np.ndarray"], float]


@dataclass
class SegmentSearch:
    """One check's rows. ``score`` (of row numbers): how good the model is there; the worst is looked for."""

    data: "pd.DataFrame"
    errors: "np.ndarray"
    score: Score
    seed: int

    @cached_property
    def _trees(self) -> AbsoluteTrees:
        import numpy as np

        numbers = self.data.select_dtypes("number")
        return AbsoluteTrees({name: numbers[name].to_numpy(dtype=np.float32) for name in numbers}, self.errors)

    def worst(self, names: tuple[str, str], smallest_share: float) -> tuple[float, Path] | None:
        """Score of the weakest leaf and the way to it; None where the pair has no complete row or no finite score."""
        import numpy as np

        values = self.data[list(names)].to_numpy(dtype=np.float64)
        rows = np.flatnonzero(~np.isnan(values).any(axis=1))
        if len(rows) < _FOLDS:
            return None
        share = smallest_share * len(self.data) / len(rows)
        if not 0.0 <= share <= 0.5:
            return None
        criteria = (self._squared, self._absolute)
        folds = [np.setdiff1d(rows, part, assume_unique=True) for part in np.array_split(rows, _FOLDS)]
        worst = [
            np.average([self._weakest(grow(names, f, share), values, rows)[0] for f in folds]) for grow in criteria
        ]
        if not np.isfinite(worst).all():
            return None
        return self._weakest(criteria[int(np.argmin(worst))](names, rows, share), values, rows)

    def _squared(self, names: tuple[str, str], rows: "np.ndarray", share: float) -> list[Path]:
        import numpy as np
        from sklearn.tree import DecisionTreeRegressor

        columns = np.column_stack([self._trees.columns[name][rows] for name in names])
        tree = DecisionTreeRegressor(
            criterion="squared_error",
            max_depth=_DEPTH,
            min_samples_leaf=_SAMPLES,
            min_weight_fraction_leaf=share,
            min_impurity_decrease=_DECREASE,
            random_state=self.seed,
        )
        return _paths(tree.fit(columns, self.errors[rows]).tree_)

    def _absolute(self, names: tuple[str, str], rows: "np.ndarray", share: float) -> list[Path]:
        limits = Limits(_DEPTH, _SAMPLES, share * len(rows), _DECREASE)
        return self._trees.leaves(names, rows, limits)

    def _weakest(self, leaves: list[Path], values: "np.ndarray", rows: "np.ndarray") -> tuple[float, Path]:
        """The first leaf with the lowest score, all rows of the pair counted."""
        weakest: tuple[float, Path] = (float("inf"), ())
        for path in leaves:
            reached = _reached(path, values, rows)
            # A leaf can be empty: the tree compares float32, the search the columns as they are.
            score = self.score(reached) if len(reached) else weakest[0]
            if score < weakest[0]:
                weakest = (score, path)
        return weakest


def _reached(path: Path, values: "np.ndarray", rows: "np.ndarray") -> "np.ndarray":
    for place, threshold, above in path:
        column = values[rows, place]
        rows = rows[column > threshold] if above else rows[column <= threshold]
    return rows


def _paths(tree: Any, node: int = 0, path: Path = ()) -> list[Path]:
    place, threshold = int(tree.feature[node]), float(tree.threshold[node])
    if place < 0:
        return [path]
    left = _paths(tree, tree.children_left[node], (*path, (place, threshold, False)))
    return left + _paths(tree, tree.children_right[node], (*path, (place, threshold, True)))
