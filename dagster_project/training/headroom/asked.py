"""What every part of the examination reads: request, rows, the chosen trial, and answers as metrics take them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Trial
from dagster_project.domain.headroom_report import Interval
from dagster_project.domain.spec import ModelSpec
from dagster_project.inference.predictor import Answers
from dagster_project.training.rows import Data

if TYPE_CHECKING:
    import numpy as np

QUICK = ("roc_auc", "accuracy", "balanced_accuracy", "f1")
LIMIT = 1.96
WHOLE = "all rows"
"""The job that every other is held against: the candidate itself."""


@dataclass(frozen=True)
class Asked:
    """The chosen trial of a request, over its rows."""

    request: BuildRequest
    data: Data
    best: Trial

    @property
    def spec(self) -> ModelSpec:
        """The request's."""
        return self.request.spec

    @property
    def labels(self) -> "np.ndarray":
        """(rows,) of the validation rows, as the contract has them."""
        return self.data.validation.labels(self.data.classes)

    def answers(self, numbers: "np.ndarray") -> Answers:
        """Probabilities (rows, classes) or values (rows,) as metrics take them."""
        import numpy as np

        numbers = numbers.astype(np.float64)
        if not self.data.classes:
            return Answers(values=numbers.reshape(-1))
        return Answers(classes=self.data.classes, codes=numbers.argmax(axis=1), scores=numbers)

    def measured(self, numbers: "np.ndarray") -> Interval | None:
        """The search's metric on the validation rows at 95 %; None where it means nothing on them.

        As judge measures it, but for metrics whose every row is its own kind: there the normal limits of the jackknife
        influence (Efron and Tibshirani 1993, chapter 11) stand for 10,000 draws at each point.
        """
        from dagster_project.evaluation.measuring import measure
        from dagster_project.evaluation.metrics import defined, statistic

        spec, metric, given = self.spec, self.spec.search.metric, self.answers(numbers)
        if not defined(metric, spec.task, self.labels):
            return None
        if metric not in QUICK:
            found = statistic(metric, given, self.labels, spec.positive)
            error = float((found.influence() ** 2).sum()) ** 0.5 / len(self.labels)
            value = found.value()
            return Interval(value=value, low=value - LIMIT * error, high=value + LIMIT * error)
        (exact,) = measure(given, self.labels, spec.task, [metric], rows="validation", positive=spec.positive)
        assert exact.low is not None and exact.high is not None
        return Interval(value=exact.value, low=exact.low, high=exact.high)
