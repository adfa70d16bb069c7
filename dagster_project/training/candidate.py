"""The best trial, with its own weights or trained once more on the training rows: what is exported and judged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster_project.domain.bundle import Input, Trial
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.families import FAMILIES, Task
from dagster_project.training.parity import Answer
from dagster_project.training.preparation import as_matrix, raw_columns
from dagster_project.training.problem import Fit, Problem, fit, measure, unfitted
from dagster_project.training.rows import Data, Label, frame_of
from dagster_project.training.scoring import answers_of
from dagster_project.training.space import Proposal
from dagster_project.training.steps import begin

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Candidate:
    """A trained pipeline from raw columns to answers, and its value on the validation rows."""

    family: str
    parameters: dict[str, Any]
    task: Task
    inputs: tuple[Input, ...]
    classes: tuple[Label, ...]
    transformer: Any
    selector: Any
    estimator: Any
    value: float

    def answer(self, columns: "dict[str, np.ndarray]") -> Answer:
        """The estimator's answer to the graph's inputs, each of shape (rows, 1)."""
        from threadpoolctl import threadpool_limits

        matrix = self.transformer.transform(frame_of(columns, self.inputs))
        matrix = matrix if self.selector is None else self.selector.transform(matrix)
        with threadpool_limits(1):
            numbers = answers_of(self.estimator, as_matrix(matrix), self.task)
        if self.task == "regression":
            return Answer(None, numbers.reshape(-1, 1))
        return Answer(label_values(self.classes)[numbers.argmax(axis=1)], numbers)

    def seen_columns(self) -> list[str]:
        """For each column that the estimator sees, the raw column behind it."""
        origins = raw_columns(self.transformer, self.inputs)
        return origins if self.selector is None else [origins[i] for i in self.selector.get_support(indices=True)]


def label_values(classes: tuple[Label, ...]) -> "np.ndarray":
    """Labels as the graph gives them: int64 (booleans are 0 and 1), or str objects."""
    import numpy as np

    if all(isinstance(label, str) for label in classes):
        return np.array(classes, dtype=object)
    return np.array([int(label) for label in classes], dtype=np.int64)


def refit(problem: Problem, data: Data, trial: Trial, cores: int = 1) -> Candidate:
    """Train the trial's proposal on the training rows, to the step at which its value was measured.

    Validation rows stay out: they choose, show and judge, and rows that trained can't.

    Raises:
        MachineryError: the second training does not reach the trial's value, so training is not deterministic here.
    """
    done = next(fitted for fitted in fit(problem, _proposal(trial), cores) if fitted.steps >= trial.steps)
    if trial.value is None or abs(done.value - trial.value) > 1e-6 * max(1.0, abs(done.value)):
        raise MachineryError(
            f"{trial.family}: trained again it reaches {problem.metric} {done.value}, in the search {trial.value}. "
            "Training is not deterministic on this machine."
        )
    return _candidate(problem, data, trial, done)


def restore(problem: Problem, data: Data, trial: Trial, state: dict[str, Any]) -> Candidate:
    """The candidate from the trial's own weights: epochs are not done again.

    Its value is measured here, from those weights in float32 on a CPU: the graph that is exported runs so too.
    """
    selector, estimator, train, validation = unfitted(problem, _proposal(trial))
    begin(estimator, train, problem.train_target).load(state)
    return _candidate(
        problem, data, trial, Fit(estimator, selector, measure(problem, estimator, validation), trial.steps)
    )


def drift(trial: Trial, candidate: Candidate) -> str | None:
    """Both values in words where they are further than a thousandth apart: mixed precision moved it."""
    seen, now = trial.value or 0.0, candidate.value
    if abs(seen - now) <= 1e-3 * max(abs(seen), abs(now)):
        return None
    return f"{trial.family}: {seen:.6g} where it trained, {now:.6g} from the same weights in float32 on a CPU"


def _proposal(trial: Trial) -> Proposal:
    return Proposal(trial.number, trial.family, trial.parameters)


def _candidate(problem: Problem, data: Data, trial: Trial, done: Fit) -> Candidate:
    prepared = problem.prepared[FAMILIES[trial.family].preparation]
    return Candidate(
        family=trial.family,
        parameters={**trial.parameters, **({"epochs": trial.steps} if FAMILIES[trial.family].steps else {})},
        task=problem.task,
        inputs=data.inputs,
        classes=data.classes,
        transformer=prepared.transformer,
        selector=done.selector,
        estimator=done.estimator,
        value=done.value,
    )
