"""Bagged trees (Breiman 2001)."""

from typing import Any

from dagster_project.domain.families import Task
from dagster_project.training.layout import Layout


def make(parameters: dict[str, Any], task: Task, seed: int, layout: Layout) -> Any:
    """Parameters are scikit-learn's. One job: trials run beside each other."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    return kind(**parameters, random_state=seed, n_jobs=1)
