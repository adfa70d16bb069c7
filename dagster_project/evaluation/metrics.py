"""Every metric of ``domain.metrics``, once, as a statistic of rows. Definitions are scikit-learn's.

log_loss clips probabilities at float32's epsilon, as scikit-learn does for float32. brier is the mean squared distance
of the probabilities to the outcome, summed over classes (Brier 1950) and halved for two. roc_auc is in ``auc.py``.
A label that is none of the model's classes counts as wrong, with probability 0.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dagster_project.domain.errors import MachineryError
from dagster_project.domain.families import Task
from dagster_project.inference.predictor import Answers, encode

from .statistic import Means, Ranks

if TYPE_CHECKING:
    import numpy as np

Positive = str | int | bool | None


def statistic(metric: str, answers: Answers, labels: "np.ndarray", positive: Positive = None) -> Means | Ranks:
    """``metric`` of ``answers`` to ``labels`` (n,); ``positive`` is the class that counts, by default the last."""
    if metric in _REGRESSION:
        return _REGRESSION[metric](answers.values, labels.astype(float))
    if metric == "average_precision":
        scores, hits = positive_scores(answers, labels, positive)
        return Ranks(scores, hits)
    if metric not in _CLASSIFICATION:
        raise MachineryError(f"{metric} has no definition here; metrics are listed in domain/metrics.py")
    return _CLASSIFICATION[metric](answers, encode(labels, answers.classes), position(answers, positive))


def position(answers: Answers, positive: Positive) -> int:
    """Which column of ``scores`` the positive class has."""
    return len(answers.classes) - 1 if positive is None else answers.classes.index(positive)


def positive_scores(answers: Answers, labels: "np.ndarray", positive: Positive) -> "tuple[np.ndarray, np.ndarray]":
    """(n,) probabilities of the positive class, and (n,) whether the row is of it."""
    import numpy as np

    column = position(answers, positive)
    hits: np.ndarray = np.asarray(encode(labels, answers.classes) == column)
    return scores_of(answers)[:, column], hits


def defined(metric: str, task: Task, labels: "np.ndarray") -> bool:
    """Whether ``metric`` means anything on these labels: ranks need two classes, r2 needs labels that differ."""
    import numpy as np

    if not len(labels):
        return False
    if metric in ("roc_auc", "average_precision", "r2"):
        return len(np.unique(labels)) > 1
    return True


def scores_of(answers: Answers) -> "np.ndarray":
    """(n, classes) probabilities; raises MachineryError where there are none."""
    if answers.scores is None:
        raise MachineryError("a metric of probabilities was asked of answers that have none")
    return answers.scores


def _each(rows: "np.ndarray", reduce: "Callable[[np.ndarray], np.ndarray]") -> Means:
    """A statistic of (n, k) numbers in which every row is its own kind."""
    import numpy as np

    return Means(rows, np.arange(len(rows)), reduce)


def _first(means: "np.ndarray") -> "np.ndarray":
    first: np.ndarray = means[..., 0]
    return first


def _accuracy(answers: Answers, truth: "np.ndarray", positive: int) -> Means:
    import numpy as np

    return Means(np.array([[0.0], [1.0]]), np.asarray(answers.codes == truth, np.int64), _first)


def _balanced_accuracy(answers: Answers, truth: "np.ndarray", positive: int) -> Means:
    """Kinds: (class, right or wrong); the last class stands for labels that the model does not know."""
    import numpy as np

    classes = len(answers.classes) + 1
    cells = np.zeros((2 * classes, 2 * classes))
    for number in range(classes):
        cells[[2 * number, 2 * number + 1], number] = 1.0
        cells[2 * number + 1, classes + number] = 1.0
    codes = 2 * np.where(truth < 0, classes - 1, truth) + (answers.codes == truth)

    def reduce(means: "np.ndarray") -> "np.ndarray":
        seen, right = means[..., :classes], means[..., classes:]
        recall = np.divide(right, seen, out=np.zeros_like(right), where=seen > 0)
        mean: np.ndarray = recall.sum(axis=-1) / np.maximum(1, (seen > 0).sum(axis=-1))
        return mean

    return Means(cells, codes, reduce)


def _f1(answers: Answers, truth: "np.ndarray", positive: int) -> Means:
    """Kinds: neither, false positive, false negative, true positive."""
    import numpy as np

    codes = 2 * (truth == positive) + (answers.codes == positive)
    cells = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])

    def reduce(means: "np.ndarray") -> "np.ndarray":
        right, wrong = 2 * means[..., 0], means[..., 1]
        score: np.ndarray = np.divide(right, right + wrong, out=np.zeros_like(right), where=right + wrong > 0)
        return score

    return Means(cells, codes.astype(np.int64), reduce)


def _log_loss(answers: Answers, truth: "np.ndarray", positive: int) -> Means:
    import numpy as np

    chance = np.where(truth >= 0, scores_of(answers)[np.arange(len(truth)), truth], 0.0)
    epsilon = float(np.finfo(np.float32).eps)
    return _each(-np.log(np.clip(chance, epsilon, 1 - epsilon))[:, None], _first)


def _brier(answers: Answers, truth: "np.ndarray", positive: int) -> Means:
    import numpy as np

    scores = scores_of(answers)
    chance = np.where(truth >= 0, scores[np.arange(len(truth)), truth], 0.0)
    distance = (scores**2).sum(axis=1) - 2 * chance + 1
    return _each((distance / 2 if len(answers.classes) == 2 else distance)[:, None], _first)


def _rmse(values: "np.ndarray", labels: "np.ndarray") -> Means:
    import numpy as np

    return _each(((values - labels) ** 2)[:, None], lambda means: np.sqrt(np.maximum(0.0, means[..., 0])))


def _mae(values: "np.ndarray", labels: "np.ndarray") -> Means:
    return _each(abs(values - labels)[:, None], _first)


def _r2(values: "np.ndarray", labels: "np.ndarray") -> Means:
    import numpy as np

    centred = labels - labels.mean()

    def reduce(means: "np.ndarray") -> "np.ndarray":
        spread = means[..., 1] - means[..., 2] ** 2
        explained: np.ndarray = 1 - means[..., 0] / np.maximum(spread, 1e-300)
        return explained

    return _each(np.column_stack([(values - labels) ** 2, centred**2, centred]), reduce)


_CLASSIFICATION: dict[str, Callable[..., Means]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "log_loss": _log_loss,
    "brier": _brier,
}
_REGRESSION: dict[str, Callable[[Any, Any], Means]] = {"rmse": _rmse, "mae": _mae, "r2": _r2}
