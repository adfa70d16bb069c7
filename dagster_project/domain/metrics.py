"""The catalogue of metrics: what each is for and which way is better. ``evaluation/metrics.py`` computes them."""

from .base import StrictModel
from .families import CLASSIFICATION, Task


class Metric(StrictModel):
    """A number that says how good answers are. ``worst`` and ``best`` bound its range; None is unbounded."""

    name: str
    tasks: tuple[Task, ...]
    greater_is_better: bool
    worst: float | None
    best: float
    needs_scores: bool = False


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric(name="roc_auc", tasks=("binary",), greater_is_better=True, worst=0.0, best=1.0, needs_scores=True),
        Metric(
            name="average_precision",
            tasks=("binary",),
            greater_is_better=True,
            worst=0.0,
            best=1.0,
            needs_scores=True,
        ),
        Metric(name="f1", tasks=("binary",), greater_is_better=True, worst=0.0, best=1.0),
        Metric(name="accuracy", tasks=CLASSIFICATION, greater_is_better=True, worst=0.0, best=1.0),
        Metric(name="balanced_accuracy", tasks=CLASSIFICATION, greater_is_better=True, worst=0.0, best=1.0),
        Metric(name="log_loss", tasks=CLASSIFICATION, greater_is_better=False, worst=None, best=0.0, needs_scores=True),
        Metric(name="brier", tasks=CLASSIFICATION, greater_is_better=False, worst=2.0, best=0.0, needs_scores=True),
        Metric(name="rmse", tasks=("regression",), greater_is_better=False, worst=None, best=0.0),
        Metric(name="mae", tasks=("regression",), greater_is_better=False, worst=None, best=0.0),
        Metric(name="r2", tasks=("regression",), greater_is_better=True, worst=None, best=1.0),
    )
}


REPORTED: dict[Task, tuple[str, ...]] = {
    "binary": ("roc_auc", "accuracy", "log_loss", "brier"),
    "multiclass": ("accuracy", "balanced_accuracy", "log_loss"),
    "regression": ("rmse", "mae", "r2"),
}
"""What reports show, and what is measured in production where the spec names nothing."""


def metrics_for(task: Task) -> tuple[str, ...]:
    """Names of the metrics that fit ``task``, in alphabetical order."""
    return tuple(sorted(m.name for m in METRICS.values() if task in m.tasks))
