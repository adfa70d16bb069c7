"""The search metric of a fitted estimator on validation rows. What a gate believes is measured again by judge."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dagster_project.domain.families import Task

if TYPE_CHECKING:
    import numpy as np


def score(metric: str, task: Task, target: "np.ndarray", answers: "np.ndarray", positive: int = 1) -> float:
    """``metric`` of ``answers``: probabilities of shape (rows, classes), or values of shape (rows,).

    ``positive`` is the index of the class that counts as positive in a binary task.
    """
    if task == "regression":
        return _regression(metric, target, answers)
    if metric in _OF_SCORES:
        return float(_OF_SCORES[metric](target, answers, positive))
    return float(_OF_LABELS[metric](target, answers.argmax(axis=1), positive))


def answers_of(estimator: Any, matrix: "np.ndarray", task: Task) -> "np.ndarray":
    """Probabilities, or values, of a prepared matrix."""
    answers: np.ndarray = estimator.predict(matrix) if task == "regression" else estimator.predict_proba(matrix)
    return answers


def _regression(metric: str, target: "np.ndarray", values: "np.ndarray") -> float:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    functions = {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
    return float(functions[metric](target, values))


def _roc_auc(target: "np.ndarray", scores: "np.ndarray", positive: int) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(target == positive, scores[:, positive]))


def _average_precision(target: "np.ndarray", scores: "np.ndarray", positive: int) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(target == positive, scores[:, positive]))


def _log_loss(target: "np.ndarray", scores: "np.ndarray", positive: int) -> float:
    import numpy as np

    own = scores[np.arange(len(target)), target].astype(np.float64)
    return float(-np.log(np.clip(own, np.finfo(np.float32).eps, 1.0)).mean())


def _brier(target: "np.ndarray", scores: "np.ndarray", positive: int) -> float:
    """Sum over the classes (Brier 1950), halved for two: as ``evaluation/metrics.py`` has it."""
    import numpy as np

    distance = float(((scores - np.eye(scores.shape[1])[target]) ** 2).sum(axis=1).mean())
    return distance / 2 if scores.shape[1] == 2 else distance


def _accuracy(target: "np.ndarray", labels: "np.ndarray", positive: int) -> float:
    return float((target == labels).mean())


def _balanced_accuracy(target: "np.ndarray", labels: "np.ndarray", positive: int) -> float:
    from sklearn.metrics import recall_score

    return float(recall_score(target, labels, average="macro", zero_division=0.0))


def _f1(target: "np.ndarray", labels: "np.ndarray", positive: int) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(target == positive, labels == positive, zero_division=0.0))


_OF_SCORES: dict[str, Callable[..., float]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
    "log_loss": _log_loss,
    "brier": _brier,
}
_OF_LABELS: dict[str, Callable[..., float]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
}
