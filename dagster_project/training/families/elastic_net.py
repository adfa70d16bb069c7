"""Linear regression with L1 and L2 penalties (Zou and Hastie 2005)."""

from typing import Any

from dagster_project.domain.families import Task
from dagster_project.training.layout import Layout


def make(parameters: dict[str, Any], task: Task, seed: int, layout: Layout) -> Any:
    """``alpha``: strength of the penalty; ``l1_ratio``: the L1 part of it."""
    from sklearn.linear_model import ElasticNet

    return ElasticNet(
        alpha=parameters["alpha"], l1_ratio=parameters["l1_ratio"], max_iter=5000, tol=1e-3, random_state=seed
    )
