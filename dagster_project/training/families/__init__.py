"""Learners, one module a family: ``make(parameters, task, seed)`` returns an unfitted estimator.

Estimators follow scikit-learn's conventions and take a float32 matrix. Classification targets are indexes 0..K-1.
What trains in steps also has ``fit_steps(matrix, target)``, an iterator with one item an epoch.
What is made with ``n_jobs`` becomes the same, bit by bit, on any number of cores.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from dagster_project.domain.families import Task


def make_estimator(family: str, parameters: dict[str, Any], task: "Task", seed: int) -> Any:
    """An unfitted estimator of a family in the catalogue."""
    from dagster_project.domain.families import FAMILIES  # here, so that networks need torch alone

    module = importlib.import_module(f"{__name__}.{FAMILIES[family].name}")
    return module.make(parameters, task, seed)


def fit_steps(estimator: Any, matrix: "np.ndarray", target: "np.ndarray", cores: int = 1) -> Iterator[int]:
    """Train, yielding the number of steps done after each; what doesn't train in steps yields once."""
    if hasattr(estimator, "fit_steps"):
        yield from estimator.fit_steps(matrix, target)
    else:
        with _spread(estimator, cores):
            estimator.fit(matrix, target)
        yield 1


@contextmanager
def _spread(estimator: Any, cores: int) -> Iterator[None]:
    """Trees beside each other while they grow; summing their answers beside each other would move the last digit."""
    given = getattr(estimator, "n_jobs", None)
    if given is not None:
        estimator.n_jobs = cores
    yield
    if given is not None:
        estimator.n_jobs = given
