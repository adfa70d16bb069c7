"""The search's problem: prepared matrices, computed once for each way of preparing and shared by all trials."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dagster_project.domain.families import FAMILIES, Preparation, Task
from dagster_project.domain.lease import GpuUse
from dagster_project.domain.spec import CandidateFamily, ModelSpec
from dagster_project.training.beginning import Beginning
from dagster_project.training.checkpoints import Checkpoints
from dagster_project.training.device import CPU, Device
from dagster_project.training.families import make_estimator
from dagster_project.training.layout import Layout, Part
from dagster_project.training.preparation import as_matrix, make_preparation, preparations, prepared_inputs
from dagster_project.training.rows import Data, frame_of
from dagster_project.training.scoring import answers_of, score
from dagster_project.training.selection import fit_selector, keep
from dagster_project.training.space import KEEP, Proposal
from dagster_project.training.steps import fit_steps
from dagster_project.training.stream import Stream

if TYPE_CHECKING:
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_selection import SelectKBest


@dataclass(frozen=True)
class Prepared:
    """Both parts as float32 matrices, with what prepared them: sparse ones where there are terms of a text.

    Train rows that don't fit into memory stream.
    """

    transformer: "ColumnTransformer"
    selector: "SelectKBest | None"
    train: "np.ndarray | Stream"
    validation: "np.ndarray"
    layout: Layout


@dataclass(frozen=True)
class Problem:
    """Everything a trial needs besides its proposal. ``prepared`` is by the family's preparation."""

    task: Task
    metric: str
    seed: int
    positive: int
    prepared: dict[str, Prepared]
    train_target: "np.ndarray"
    validation_target: "np.ndarray"
    beginnings: dict[str, Beginning] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """A trained estimator behind its selector, with its score on the validation rows.

    Of several processes that train it, the first alone measures: to the others ``value`` is NaN. ``found`` steps were
    done by a process that was lost.
    """

    estimator: Any
    selector: "SelectKBest | None"
    value: float
    steps: int
    found: int = 0
    gpu: GpuUse | None = None


def pose(spec: ModelSpec, data: Data, weights: Mapping[str, bytes] = MappingProxyType({})) -> Problem:
    """Prepare the rows once for each preparation that the candidates ask for. ``weights``: files by digest."""
    return Problem(
        task=spec.task,
        metric=spec.search.metric,
        seed=spec.search.seed,
        positive=positive_index(spec, data),
        prepared={kind: _prepare(spec, data, kind) for kind in preparations(spec)},
        train_target=data.train.target,
        validation_target=data.validation.target,
        beginnings={each.family: _beginning(spec, each, weights) for each in spec.candidates},
    )


def _beginning(spec: ModelSpec, candidate: CandidateFamily, weights: Mapping[str, bytes]) -> Beginning:
    given, source = candidate.weights, spec.architecture or ""
    if given is None:
        return Beginning(spec.name, source)
    return Beginning(spec.name, source, weights[given.digest], given.freeze)


def positive_index(spec: ModelSpec, data: Data) -> int:
    """Index of the positive class: the spec's, or the last one (true, 1)."""
    return data.classes.index(spec.positive) if spec.positive in data.classes else len(data.classes) - 1


def _prepare(spec: ModelSpec, data: Data, kind: Preparation) -> Prepared:
    frame = frame_of(data.train.columns, data.inputs)
    transformer = make_preparation(spec.features, data.inputs, frame, kind)
    train = as_matrix(transformer.fit_transform(frame))
    judged = frame_of(data.validation.columns, data.inputs)
    validation = as_matrix(transformer.transform(judged))
    selector = fit_selector(spec.features.selection, spec.task, train, data.train.target, spec.search.seed)
    shown = data.stream.prepared_by(transformer) if data.stream else train
    return Prepared(transformer, selector, shown, validation, _layout(transformer, data))


def _layout(transformer: "ColumnTransformer", data: Data) -> Layout:
    parts, start = [], 0
    for item, width in prepared_inputs(transformer, data.inputs):
        parts.append(Part(item.name, item.modality, item.shape, start, start + width))
        start += width
    return Layout(tuple(parts), data.horizon, data.season)


def fit(
    problem: Problem,
    proposal: Proposal,
    cores: int = 1,
    device: Device = CPU,
    checkpoints: Checkpoints | None = None,
) -> Iterator[Fit]:
    """Train a proposal, yielding after each step: on a CPU the sums, and so the bytes, are the same anywhere.

    One thread does every sum; trees that don't depend on each other may grow on several ``cores``. What trains in
    steps goes on from its ``checkpoints``, and leaves some.
    """
    from threadpoolctl import threadpool_limits

    selector, estimator, train, validation = unfitted(problem, proposal)
    with threadpool_limits(1):
        for step in fit_steps(estimator, train, problem.train_target, cores, device, checkpoints):
            value = measure(problem, estimator, validation) if step.first else float("nan")
            yield Fit(estimator, selector, value, step.done, step.found, step.gpu)


def unfitted(problem: Problem, proposal: Proposal) -> "tuple[SelectKBest | None, Any, np.ndarray | Stream, np.ndarray]":
    """The proposal's selector, its unfitted estimator, and the train and validation rows that it sees."""
    prepared = problem.prepared[FAMILIES[proposal.family].preparation]
    parameters = {name: value for name, value in proposal.parameters.items() if name != KEEP}
    selector = keep(prepared.selector, proposal.parameters.get(KEEP, 1.0))
    train, validation = prepared.train, prepared.validation
    if selector is not None:
        train = train.selected_by(selector) if isinstance(train, Stream) else selector.transform(train)
        validation = selector.transform(validation)
    estimator = make_estimator(proposal.family, parameters, problem.task, problem.seed, prepared.layout)
    estimator.beginning = problem.beginnings.get(proposal.family, Beginning())
    return selector, estimator, train, validation


def measure(problem: Problem, estimator: Any, validation: "np.ndarray") -> float:
    """The search's metric on the validation rows."""
    answers = answers_of(estimator, validation, problem.task)
    return score(problem.metric, problem.task, problem.validation_target, answers, problem.positive)
