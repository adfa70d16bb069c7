"""Gradient boosting over histograms (Ke et al. 2017)."""

from typing import Any

from dagster_project.domain.families import Task
from dagster_project.training.layout import Layout


def make(parameters: dict[str, Any], task: Task, seed: int, layout: Layout) -> Any:
    """Parameters are scikit-learn's. ``max_iter`` trees exactly: the search, not the learner, stops early."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return kind(**parameters, early_stopping=False, random_state=seed)
