"""One more fit of the chosen candidate: on some of the train rows, without some columns, answering other rows."""

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Trial
from dagster_project.domain.errors import RefusedError
from dagster_project.training.device import CPU
from dagster_project.training.parity import take
from dagster_project.training.problem import pose, unfitted
from dagster_project.training.rows import Data, Rows, load_data
from dagster_project.training.scoring import answers_of
from dagster_project.training.space import Proposal
from dagster_project.training.steps import fit_steps

if TYPE_CHECKING:
    import numpy as np

    from dagster_project.domain.spec import ModelSpec


@dataclass(frozen=True)
class Job:
    """Train on the rows at ``train`` (None: all), without the columns ``without``; answer to train rows at ``judged``
    (None: to the validation rows)."""

    name: str
    train: "np.ndarray | None" = None
    judged: "np.ndarray | None" = None
    without: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Fitted:
    """Answers to the judged rows: probabilities (rows, classes), or values (rows,). None: ``absent`` says why."""

    answers: "np.ndarray | None"
    seconds: float = 0.0
    absent: str = ""


def fitted(request: str, best: Trial, job: Job) -> Fitted:
    """The job done on one core, in any process that reaches the split's files. ``request`` is a BuildRequest's JSON."""
    return fitted_on(_known(request), _rows(request), best, job)


def fitted_on(request: BuildRequest, data: Data, best: Trial, job: Job) -> Fitted:
    """The job done on rows at hand. A fit that raises says why; nothing else hangs on it."""
    began = time.perf_counter()
    try:
        answers = fit_answers(request.spec, data, best, job)
    except Exception as error:  # noqa: BLE001 said in the report, where the number would stand
        return Fitted(None, time.perf_counter() - began, f"{type(error).__name__}: {error}"[:300])
    return Fitted(answers, time.perf_counter() - began)


def fit_answers(spec: "ModelSpec", data: Data, best: Trial, job: Job) -> "np.ndarray":
    """Prepare, select and fit as the search did, from these rows alone.

    Raises:
        RefusedError: a class has no row among them.
    """
    from threadpoolctl import threadpool_limits

    inputs = tuple(item for item in data.inputs if item.name not in job.without)
    train = part_of(data.train, job.train)
    judged = data.validation if job.judged is None else part_of(data.train, job.judged)
    refuse_missing_class(train, data.classes)
    problem = pose(_narrowed(spec, best.family), Data(train, judged, inputs, data.classes))
    proposal = Proposal(best.number, best.family, best.parameters)
    _, estimator, matrix, asked = unfitted(problem, proposal)
    with threadpool_limits(1):
        for step in fit_steps(estimator, matrix, problem.train_target, 1, CPU, None):
            if step.done >= best.steps:
                break
        return answers_of(estimator, asked, spec.task)


def part_of(rows: Rows, places: "np.ndarray | None") -> Rows:
    """The rows at ``places``; None: all."""
    return rows if places is None else Rows(take(rows.columns, places), rows.target[places])


def refuse_missing_class(rows: Rows, classes: tuple[str | int | bool, ...]) -> None:
    """Raise RefusedError where a class has no row: no learner could answer it."""
    import numpy as np

    missing = [str(label) for place, label in enumerate(classes) if not np.any(rows.target == place)]
    if missing:
        raise RefusedError(f"{len(rows):,} rows have none of class {', '.join(missing)}")


def _narrowed(spec: "ModelSpec", family: str) -> "ModelSpec":
    """The spec with the one family, so that rows are prepared once."""
    kept = tuple(candidate for candidate in spec.candidates if candidate.family == family)
    return spec.model_copy(update={"candidates": kept})


@lru_cache(maxsize=1)
def _known(request: str) -> BuildRequest:
    return BuildRequest.from_json(request)


@lru_cache(maxsize=1)
def _rows(request: str) -> Data:
    return load_data(_known(request))
