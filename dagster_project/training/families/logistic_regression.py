"""Linear classifier with an L2 penalty."""

from typing import Any

from dagster_project.domain.families import Task
from dagster_project.training.layout import Layout


def make(parameters: dict[str, Any], task: Task, seed: int, layout: Layout) -> Any:
    """``C``: inverse strength of the penalty."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=parameters["C"], max_iter=1000, random_state=seed)
