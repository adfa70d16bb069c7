"""The catalogue of families: which learner fits which task and modality. Data only; ``training/families`` trains."""

from collections.abc import Iterable
from typing import Literal, get_args

from pydantic import Field

from .base import StrictModel

Task = Literal["binary", "multiclass", "regression"]
Modality = Literal["tabular", "text", "image", "series"]
Preparation = Literal["scaled", "unscaled", "tensors"]
ALL_TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")
REGRESSION: tuple[Task, ...] = ("regression",)


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
    needs: Modality | None = Field(default=None, description="reads one column of this kind, whatever else it reads")
    preparation: Preparation = Field(
        description="trees get unscaled float32 columns; tensors keep an image's pixels and a text's words in order"
    )
    open: bool = Field(default=False, description="its own code says what else may be searched")
    steps: bool = Field(default=False, description="trains in steps, so a scheduler may stop it early")
    space: dict[str, Distribution]
    defaults: dict[str, int | float] = Field(default_factory=dict, description="not searched unless the spec says so")


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

_LOOP = {"learning_rate": _log(3e-4, 1e-2), "weight_decay": _log(1e-6, 1e-2), "clip": _log(1e-2, 1e2)}
"""How every network is trained."""
_STEPS = {**_LOOP, "batch_size": _choice(32, 64, 128, 256, 512), "epochs": _int(1, 200)}


def _network(name: str, description: str, needs: Modality | None, space: dict[str, Distribution]) -> Family:
    """A network over one column of a kind, or of a model's own over anything, and the tabular ones beside it."""
    return Family(
        name=name,
        description=description,
        tasks=ALL_TASKS,
        modalities=("tabular", needs) if needs else get_args(Modality),
        needs=needs,
        preparation="tensors",
        open=needs is None,
        steps=True,
        space={**space, **_STEPS},
        defaults={"clip": 1.0, "batch_size": 128, "epochs": 10},
    )


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="logistic_regression",
            description="linear classifier, L2 penalty",
            tasks=CLASSIFICATION,
            modalities=("tabular", "text", "image", "series"),
            preparation="scaled",
            space={"C": _log(1e-3, 1e2)},
        ),
        Family(
            name="ridge",
            description="linear regression, L2 penalty",
            tasks=("regression",),
            modalities=("tabular", "text", "image", "series"),
            preparation="scaled",
            space={"alpha": _log(1e-3, 1e3)},
        ),
        Family(
            name="elastic_net",
            description="linear regression, L1 and L2 penalty",
            tasks=("regression",),
            modalities=("tabular", "text", "image", "series"),
            preparation="scaled",
            space={"alpha": _log(1e-4, 1e1), "l1_ratio": Distribution(uniform=(0.05, 0.95))},
        ),
        Family(
            name="random_forest",
            description="bagged trees",
            tasks=ALL_TASKS,
            modalities=("tabular", "series"),
            preparation="unscaled",
            space=_FOREST,
        ),
        Family(
            name="extra_trees",
            description="extremely randomised trees",
            tasks=ALL_TASKS,
            modalities=("tabular", "series"),
            preparation="unscaled",
            space=_FOREST,
        ),
        Family(
            name="hist_gradient_boosting",
            description="histogram gradient boosting",
            tasks=ALL_TASKS,
            modalities=("tabular", "series"),
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
            modalities=("tabular", "image", "series"),
            preparation="scaled",
            steps=True,
            space={
                "hidden": _choice("64", "128", "64,32", "128,64"),
                "dropout": Distribution(uniform=(0.0, 0.3)),
                **_LOOP,
                "batch_size": _choice(256, 512, 1024),
                "epochs": _int(5, 20),
            },
            defaults={"clip": 1.0},
        ),
        _network(
            "cnn",
            "torch convolutional network over one image",
            "image",
            {
                "filters": _choice(8, 16, 32),
                "hidden": _choice(32, 64, 128),
                "dropout": Distribution(uniform=(0.0, 0.5)),
            },
        ),
        _network(
            "resnet",
            "torch residual network over one image",
            "image",
            {"filters": _choice(8, 16, 32), "blocks": _int(1, 3), "dropout": Distribution(uniform=(0.0, 0.3))},
        ),
        _network(
            "embedding_bag",
            "torch network over the embedded words of one text",
            "text",
            {"width": _choice(16, 32, 64), "dropout": Distribution(uniform=(0.0, 0.5))},
        ),
        _network(
            "tcn",
            "torch temporal convolutional network over one window of a series",
            "series",
            {"filters": _choice(8, 16, 32), "dropout": Distribution(uniform=(0.0, 0.3))},
        ),
        _network("architecture", "torch network of the model's own, in architecture.py beside the spec", None, {}),
        Family(
            name="seasonal_naive",
            description="what was seen a season ago, the baseline of a series",
            tasks=REGRESSION,
            modalities=("tabular", "series"),
            needs="series",
            preparation="unscaled",
            space={},
        ),
    )
}


def outputs_of(task: Task) -> tuple[str, ...]:
    """Names of the graph's outputs."""
    return ("value",) if task == "regression" else ("label", "probabilities")


def families_for(task: Task, modalities: Iterable[Modality] = ("tabular",)) -> tuple[str, ...]:
    """Names of the families that answer the task and read columns of all these kinds, in alphabetical order."""
    read = set(modalities)
    return tuple(
        sorted(
            family.name
            for family in FAMILIES.values()
            if task in family.tasks and read <= set(family.modalities) and family.needs in (None, *read)
        )
    )
