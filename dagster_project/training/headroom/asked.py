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
        """The search's metric on the validation rows at 95 %; None where it means nothing on them."""
        from dagster_project.evaluation.measuring import measure

        spec, metric = self.spec, self.spec.search.metric
        found = measure(
            self.answers(numbers),
            self.labels,
            spec.task,
            [metric],
            rows="validation",
            positive=spec.positive,
            seed=spec.search.seed,
        )
        if not found or found[0].low is None or found[0].high is None:
            return None
        return Interval(value=found[0].value, low=found[0].low, high=found[0].high)
