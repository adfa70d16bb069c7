"""The catalogue of families: which learner fits which task and modality. Data only; ``training/families`` trains."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from .base import StrictModel

Task = Literal["binary", "multiclass", "regression"]
Modality = Literal["tabular", "text"]
ALL_TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")


class Distribution(StrictModel):
    """A dimension of a search space. Exactly one of ``choice``, ``uniform``, ``log_uniform``, ``integer`` is set."""

    choice: tuple[str | int | float | bool | None, ...] | None = Field(default=None, min_length=1)
    uniform: tuple[float, float] | None = None
    log_uniform: tuple[float, float] | None = None
    integer: tuple[int, int] | None = Field(default=None, description="both ends included")


class Family(StrictModel):
    """A kind of learner, with the tasks and modalities it fits and what may be searched."""

    name: str
    description: str
    tasks: tuple[Task, ...]
    modalities: tuple[Modality, ...] = Field(default=("tabular",), description="kinds of columns that it reads")
    preparation: Literal["scaled", "unscaled"] = Field(description="trees get unscaled float32 columns")
    steps: bool = Field(default=False, description="trains in steps, so a scheduler may stop it early")
    space: dict[str, Distribution]
    defaults: dict[str, float] = Field(default_factory=dict, description="not searched unless the spec says so")


def _log(low: float, high: float) -> Distribution:
    return Distribution(log_uniform=(low, high))


def _int(low: int, high: int) -> Distribution:
    return Distribution(integer=(low, high))


def _choice(*values: str | int | float | bool | None) -> Distribution:
    return Distribution(choice=values)


_FOREST = {
    "n_estimators": _int(50, 150),
    "max_depth": _int(6, 16),
    "min_samples_leaf": _int(1, 50),
    "max_features": _choice("sqrt", 0.2),
}

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="logistic_regression",
            description="linear classifier, L2 penalty",
            tasks=CLASSIFICATION,
            modalities=("tabular", "text"),
            preparation="scaled",
            space={"C": _log(1e-3, 1e2)},
        ),
        Family(
            name="ridge",
            description="linear regression, L2 penalty",
            tasks=("regression",),
            modalities=("tabular", "text"),
            preparation="scaled",
            space={"alpha": _log(1e-3, 1e3)},
        ),
        Family(
            name="elastic_net",
            description="linear regression, L1 and L2 penalty",
            tasks=("regression",),
            modalities=("tabular", "text"),
            preparation="scaled",
            space={"alpha": _log(1e-4, 1e1), "l1_ratio": Distribution(uniform=(0.05, 0.95))},
        ),
        Family(
            name="random_forest",
            description="bagged trees",
            tasks=ALL_TASKS,
            preparation="unscaled",
            space=_FOREST,
        ),
        Family(
            name="extra_trees",
            description="extremely randomised trees",
            tasks=ALL_TASKS,
            preparation="unscaled",
            space=_FOREST,
        ),
        Family(
            name="hist_gradient_boosting",
            description="histogram gradient boosting",
            tasks=ALL_TASKS,
            preparation="unscaled",
            space={
                "max_iter": _int(50, 200),
                "learning_rate": _log(0.02, 0.3),
                "max_leaf_nodes": _int(8, 63),
                "min_samples_leaf": _int(10, 200),
                "l2_regularization": _log(1e-3, 1e1),
            },
        ),
        Family(
            name="mlp",
            description="torch multi-layer perceptron over the prepared columns",
            tasks=ALL_TASKS,
            preparation="scaled",
            steps=True,
            space={
                "hidden": _choice("64", "128", "64,32", "128,64"),
                "dropout": Distribution(uniform=(0.0, 0.3)),
                "learning_rate": _log(3e-4, 1e-2),
                "weight_decay": _log(1e-6, 1e-2),
                "batch_size": _choice(256, 512, 1024),
                "clip": _log(1e-2, 1e2),
                "epochs": _int(5, 20),
            },
            defaults={"clip": 1.0},
        ),
    )
}


def outputs_of(task: Task) -> tuple[str, ...]:
    """Names of the graph's outputs."""
    return ("value",) if task == "regression" else ("label", "probabilities")


def families_for(task: Task, modalities: Iterable[Modality] = ("tabular",)) -> tuple[str, ...]:
    """Names of the families that answer the task and read columns of all these kinds, in alphabetical order."""
    read = set(modalities)
    return tuple(sorted(f.name for f in FAMILIES.values() if task in f.tasks and read <= set(f.modalities)))
