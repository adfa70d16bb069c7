"""Guards on what watches a champion: columns that it reads, bounds that can be crossed, causes that can arise."""

from collections.abc import Iterator, Sequence

from .contract import DataContract, Role
from .errors import Problem
from .guard_columns import find, unknown_column
from .guard_gates import check_range
from .guard_search import check_metric
from .monitoring import PerformanceBound
from .spec import ModelSpec
from .validation import suggest
from .yamlfile import Document, Location


def check_monitoring(spec: ModelSpec, contract: DataContract, at: Document) -> Iterator[Problem]:
    """Every problem of ``monitoring`` and ``experiment``."""
    watched, loc = spec.monitoring, ("monitoring",)
    yield from _check_metrics(watched.performance.metrics, spec, at, (*loc, "performance", "metrics"))
    for index, bound in enumerate(watched.performance.bounds):
        yield from _check_bound(bound, spec, at, (*loc, "performance", "bounds", index))
    columns = {
        ("performance", "slices"): watched.performance.slices,
        ("drift", "columns"): watched.drift.columns,
        ("review", "columns"): watched.review.columns,
    }
    for part, names in columns.items():
        for index, name in enumerate(names):
            yield from _check_column(name, part[0], spec, contract, at, (*loc, *part, index))
    if watched.labels.on and watched.labels.contract and not contract.with_role(Role.ID):
        message = f"{contract.name} has no column with the role id, so its labels can't be joined to answers."
        hint = "Give one the role, or set contract: false and let clients send labels by row id."
        yield at.problem((*loc, "labels"), message, hint, code="labels-without-id")
    yield from _check_causes(spec, at)


def _check_metrics(names: Sequence[str], spec: ModelSpec, at: Document, loc: Location) -> Iterator[Problem]:
    for index, name in enumerate(names):
        yield from check_metric(name, spec.task, at, (*loc, index))


def _check_bound(bound: PerformanceBound, spec: ModelSpec, at: Document, loc: Location) -> Iterator[Problem]:
    yield from check_metric(bound.metric, spec.task, at, (*loc, "metric"))
    yield from check_range(bound, "bound", at, loc)


def _check_column(
    name: str, part: str, spec: ModelSpec, contract: DataContract, at: Document, loc: Location
) -> Iterator[Problem]:
    column = find(contract, name)
    if column is None:
        yield unknown_column(name, contract, at, loc)
    elif name not in spec.features.names:
        message = f"{name} is no feature of {spec.name}, so it is not logged with the answers."
        yield at.problem(loc, message, suggest(name, spec.features.names), code="not-logged")
    elif part == "review" and not column.public:
        message = f"{name} is {column.classification}, so its values are hashed in the log and nobody can read them."
        yield at.problem(loc, message, "Show another column.", code="restricted")


def _check_causes(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    cause, watched = spec.experiment, spec.monitoring
    if cause.drift and not watched.drift.on:
        message = "experiments wait for drift, and monitoring.drift is off."
        yield at.problem(("experiment", "drift"), message, "Set monitoring.drift.on.", code="cause-cannot-arise")
    if cause.performance and not (watched.performance.on and watched.performance.bounds):
        message = "experiments wait for a crossed bound, and monitoring.performance is off or has none."
        hint = "Set monitoring.performance.on and a bound."
        yield at.problem(("experiment", "performance"), message, hint, code="cause-cannot-arise")
    if cause.on and not (cause.schedule or cause.new_rows or cause.drift or cause.performance):
        message = "experiments are on and nothing starts one."
        yield at.problem(("experiment",), message, "Give a schedule or a cause.", code="cause-cannot-arise")
