"""Which prepared columns a trial keeps: scored once, a share of them taken."""

from typing import TYPE_CHECKING, Any

from dagster_project.domain.families import Task
from dagster_project.domain.spec import Selection

if TYPE_CHECKING:
    import numpy as np
    from sklearn.feature_selection import SelectKBest


def fit_selector(
    selection: Selection, task: Task, matrix: "np.ndarray", target: "np.ndarray", seed: int
) -> "SelectKBest | None":
    """Score the prepared columns once; :func:`keep` then takes a trial's share. None where nothing is selected."""
    from sklearn.feature_selection import SelectKBest

    if selection.method == "none":
        return None
    scorer = _univariate(task) if selection.method == "univariate" else _by_model(task, seed)
    return SelectKBest(scorer, k="all").fit(matrix, target)


def keep(selector: "SelectKBest | None", share: float) -> "SelectKBest | None":
    """A selector that keeps ``share`` of the columns, one at least; None where all stay."""
    from copy import copy

    if selector is None or share >= 1.0:
        return None
    chosen = copy(selector)
    chosen.k = max(1, round(share * selector.n_features_in_))
    return chosen


def _univariate(task: Task) -> Any:
    """F statistic of each column alone; a constant column scores lowest."""
    import numpy as np
    from sklearn.feature_selection import f_classif, f_regression

    statistic = f_regression if task == "regression" else f_classif

    def score(matrix: "np.ndarray", target: "np.ndarray") -> "np.ndarray":
        moving = matrix.std(axis=0) > 0
        scores = np.full(matrix.shape[1], -1.0)
        scores[moving] = statistic(matrix[:, moving].astype(np.float64), target)[0]
        return scores

    return score


def _by_model(task: Task, seed: int) -> Any:
    """Impurity decrease in a small forest of extremely randomised trees (Geurts et al. 2006)."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier

    def score(matrix: "np.ndarray", target: "np.ndarray") -> "np.ndarray":
        forest = kind(n_estimators=30, max_depth=10, min_samples_leaf=5, random_state=seed)
        importances: np.ndarray = forest.fit(matrix, target).feature_importances_
        return importances

    return score
