"""Learners, one module a family: ``make(parameters, task, seed)`` returns an unfitted estimator.

Estimators follow scikit-learn's conventions and take a float32 matrix. Classification targets are indexes 0..K-1.
What trains in steps also has ``fit_steps(matrix, target)``, an iterator with one item an epoch.
"""

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dagster_project.domain.families import FAMILIES, Task

if TYPE_CHECKING:
    import numpy as np


def make_estimator(family: str, parameters: dict[str, Any], task: Task, seed: int) -> Any:
    """An unfitted estimator of a family in the catalogue."""
    module = importlib.import_module(f"{__name__}.{FAMILIES[family].name}")
    return module.make(parameters, task, seed)


def fit_steps(estimator: Any, matrix: "np.ndarray", target: "np.ndarray") -> Iterator[int]:
    """Train, yielding the number of steps done after each; what doesn't train in steps yields once."""
    if hasattr(estimator, "fit_steps"):
        yield from estimator.fit_steps(matrix, target)
    else:
        estimator.fit(matrix, target)
        yield 1
