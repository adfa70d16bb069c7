"""Linear regression with an L2 penalty."""

from typing import Any

from dagster_project.domain.families import Task
from dagster_project.training.layout import Layout


def make(parameters: dict[str, Any], task: Task, seed: int, layout: Layout) -> Any:
    """``alpha``: strength of the penalty."""
    from sklearn.linear_model import Ridge

    return Ridge(alpha=parameters["alpha"], random_state=seed)
