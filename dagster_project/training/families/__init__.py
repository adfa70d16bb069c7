"""Learners, one module a family: ``make(parameters, task, seed, layout)`` returns an unfitted estimator.

Estimators follow scikit-learn's conventions and take a float32 matrix. Classification targets are indexes 0..K-1.
What trains in steps is a ``NetworkEstimator``, whose training has an epoch for a step.
What is made with ``n_jobs`` becomes the same, bit by bit, on any number of cores.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dagster_project.domain.families import Task
    from dagster_project.training.layout import Layout


def make_estimator(family: str, parameters: dict[str, Any], task: "Task", seed: int, layout: "Layout") -> Any:
    """An unfitted estimator of a family in the catalogue, for rows that are laid out so."""
    from dagster_project.domain.families import FAMILIES  # here, so that networks need torch alone

    module = importlib.import_module(f"{__name__}.{FAMILIES[family].name}")
    return module.make(parameters, task, seed, layout)


@contextmanager
def spread(estimator: Any, cores: int) -> Iterator[None]:
    """Trees beside each other while they grow; summing their answers beside each other would move the last digit."""
    given = getattr(estimator, "n_jobs", None)
    if given is not None:
        estimator.n_jobs = cores
    yield
    if given is not None:
        estimator.n_jobs = given
