"""A model that only repeats answers: deepchecks asks it, and no trained object is ever loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl

# Answers to raw rows (the features alone). What comes back is not looked at: its time is.
Predict = Callable[["pl.DataFrame"], Any]


@dataclass(frozen=True)
class Predictions:
    """Answers of the ONNX file to the rows of one part, in the rows' order.

    ``labels`` (n,): the class, or the value of a regression. ``scores`` (n, classes), columns as ``classes``.
    """

    labels: "np.ndarray"
    scores: "np.ndarray | None" = None
    classes: tuple[Any, ...] = ()


def repeater(train: Predictions, validation: Predictions) -> Any:
    """An estimator with ``predict`` (and ``predict_proba``) for rows numbered as in ``rows.dataset``."""
    import numpy as np

    labels = np.concatenate([_numbers(train.labels), _numbers(validation.labels)])
    if train.scores is None or validation.scores is None:
        return _estimators()["regression"](labels)
    classes = _numbers(np.asarray(train.classes))
    order = np.argsort(classes, kind="stable")
    scores = np.concatenate([train.scores, validation.scores]).astype(np.float64)[:, order]
    return _estimators()["classification"](labels, scores, classes[order].tolist())


def timed(predict: Predict, plain_model: Any, rows_of: "pl.DataFrame") -> Any:
    """The repeater, but ``predict`` really runs the model: for the inference clock. ``rows_of``: train, validation."""

    class Timed(type(plain_model)):  # type: ignore[misc]
        def predict(self, rows: "pd.DataFrame") -> Any:
            return predict(rows_of[rows.index.to_list()])

    model = Timed.__new__(Timed)
    model.__dict__.update(plain_model.__dict__)
    return model


@cache
def _estimators() -> dict[str, type]:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class Repeater(BaseEstimator):  # type: ignore[misc]
        def fit(self, *_: Any) -> "Repeater":
            return self

        def predict(self, rows: "pd.DataFrame") -> Any:
            return self.labels[rows.index.to_numpy()]

    class OnnxRegressor(RegressorMixin, Repeater):  # type: ignore[misc]
        def __init__(self, labels: Any) -> None:
            self.labels = labels

    class OnnxClassifier(ClassifierMixin, Repeater):  # type: ignore[misc]
        def __init__(self, labels: Any, scores: Any, classes: list[Any]) -> None:
            self.labels, self.scores, self.classes, self.classes_ = labels, scores, classes, classes

        def predict_proba(self, rows: "pd.DataFrame") -> Any:
            return self.scores[rows.index.to_numpy()]

    return {"regression": OnnxRegressor, "classification": OnnxClassifier}


def _numbers(labels: Any) -> Any:
    """Booleans as 0 and 1, as ``rows.plain`` makes them of the label column."""
    import numpy as np

    labels = np.asarray(labels).reshape(-1)
    return labels.astype(np.int64) if labels.dtype == bool else labels
