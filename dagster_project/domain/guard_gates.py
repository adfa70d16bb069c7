"""Guards on gates: a metric for the task, a bound that can fail and can be passed, slices and checks that exist."""

from collections.abc import Iterator, Sequence

from .contract import DataContract, LogicalType, Role
from .deepchecks_catalogue import CHECKS
from .errors import Problem
from .families import CLASSIFICATION
from .gates import (
    BehaviourGate,
    BoundGate,
    CalibrationGate,
    ChampionGate,
    DeepchecksGate,
    Gate,
    RobustnessGate,
    SlicesGate,
    title,
)
from .guard_behaviour import check_behaviours, check_disturbances
from .guard_columns import find, unknown_column
from .guard_search import check_metric
from .metrics import METRICS, Metric
from .monitoring import PerformanceBound
from .validation import suggest
from .yamlfile import Document, Location

_SLICEABLE = (LogicalType.STRING, LogicalType.BOOLEAN, LogicalType.INTEGER)


def check_gates(
    gates: Sequence[Gate], task: str | None, contract: DataContract | None, at: Document, loc: Location
) -> Iterator[Problem]:
    """Every gate by itself, and none twice. ``task`` None: gates for every task."""
    seen: dict[str, int] = {}
    for index, gate in enumerate(gates):
        place = (*loc, index)
        name = title(gate)
        if name in seen:
            message = f"the gate '{name}' stands twice (first as number {seen[name] + 1})."
            yield at.problem(
                place, message, "Keep one; a bound gate takes minimum and maximum together.", code="duplicate"
            )
        seen.setdefault(name, index)
        if isinstance(gate, BoundGate | ChampionGate | SlicesGate | RobustnessGate):
            yield from check_metric(gate.metric, task, at, (*place, "metric"))
        yield from _check_gate(gate, task, contract, at, place)


def _check_gate(
    gate: Gate, task: str | None, contract: DataContract | None, at: Document, loc: Location
) -> Iterator[Problem]:
    match gate:
        case BoundGate():
            yield from check_range(gate, "bound gate", at, loc)
        case ChampionGate():
            yield from _check_champion(gate, at, loc)
        case SlicesGate():
            yield from _check_slices(gate, contract, at, loc)
        case CalibrationGate():
            if task not in CLASSIFICATION:
                message = f"calibration needs probabilities, which {task or 'not every task'} has."
                if task:
                    message = f"calibration needs probabilities, and the task {task} has none."
                yield at.problem(loc, message, "Remove the gate.", code="gate-task")
        case DeepchecksGate():
            yield from _check_deepchecks(gate, at, loc)
        case RobustnessGate() if contract:
            yield from check_disturbances(gate, contract, at, loc)
        case BehaviourGate():
            yield from check_behaviours(gate, task, contract, at, loc)


def _range(metric: Metric) -> tuple[float | None, float | None]:
    """Lowest and highest value that the metric can take; None is unbounded."""
    return (metric.worst, metric.best) if metric.greater_is_better else (metric.best, metric.worst)


def check_range(gate: BoundGate | PerformanceBound, what: str, at: Document, loc: Location) -> Iterator[Problem]:
    """Minimum and maximum of a metric can both be crossed and be kept; ``what`` has them, such as a bound gate."""
    if gate.minimum is None and gate.maximum is None:
        yield at.problem(loc, f"a {what} without minimum or maximum can't fail.", "Add one.", code="gate-cannot-fail")
    if gate.metric not in METRICS:
        return
    low, high = _range(METRICS[gate.metric])
    if gate.minimum is not None:
        if low is not None and gate.minimum <= low:
            message = f"{gate.metric} is never below {low:g}, so a minimum of {gate.minimum:g} can't fail."
            yield at.problem((*loc, "minimum"), message, "Raise it.", code="gate-cannot-fail")
        if high is not None and gate.minimum >= high:
            message = f"{gate.metric} never exceeds {high:g}, so a minimum of {gate.minimum:g} can't be reached."
            yield at.problem((*loc, "minimum"), message, "Lower it.", code="gate-impossible")
    if gate.maximum is not None:
        if high is not None and gate.maximum >= high:
            message = f"{gate.metric} never exceeds {high:g}, so a maximum of {gate.maximum:g} can't fail."
            yield at.problem((*loc, "maximum"), message, "Lower it.", code="gate-cannot-fail")
        if low is not None and gate.maximum <= low:
            message = f"{gate.metric} is never below {low:g}, so a maximum of {gate.maximum:g} can't be kept."
            yield at.problem((*loc, "maximum"), message, "Raise it.", code="gate-impossible")
    if gate.minimum is not None and gate.maximum is not None and gate.minimum >= gate.maximum:
        message = f"the minimum {gate.minimum:g} is not below the maximum {gate.maximum:g}."
        yield at.problem(loc, message, "No model can pass; move one of them.", code="gate-impossible")


def _width(metric: str) -> float | None:
    """How far apart two values of the metric can be; None is unbounded, or no such metric."""
    low, high = _range(METRICS[metric]) if metric in METRICS else (None, None)
    return None if low is None or high is None else high - low


def _check_champion(gate: ChampionGate, at: Document, loc: Location) -> Iterator[Problem]:
    width = _width(gate.metric)
    place = (*loc, "margin")
    if gate.test == "non_inferiority" and gate.margin == 0.0:
        message = "a non-inferiority test needs a margin: the loss that is still accepted."
        yield at.problem(place, message, "Add one, or test for superiority.", code="gate-impossible")
    if width is not None and gate.margin >= width:
        flaw = "can't be reached" if gate.test == "superiority" else "can't fail"
        code = "gate-impossible" if gate.test == "superiority" else "gate-cannot-fail"
        message = f"two values of {gate.metric} differ by at most {width:g}, so a margin of {gate.margin:g} {flaw}."
        yield at.problem(place, message, "Lower it.", code=code)


def _check_slices(gate: SlicesGate, contract: DataContract | None, at: Document, loc: Location) -> Iterator[Problem]:
    width = _width(gate.metric)
    if width is not None and gate.maximum_drop >= width:
        message = f"two values of {gate.metric} differ by at most {width:g}, so this can't fail."
        yield at.problem((*loc, "maximum_drop"), message, "Lower it.", code="gate-cannot-fail")
    for index, name in enumerate(gate.by if contract else ()):
        assert contract is not None
        yield from _check_slice(name, contract, at, (*loc, "by", index))


def _check_slice(name: str, contract: DataContract, at: Document, loc: Location) -> Iterator[Problem]:
    column = find(contract, name)
    if column is None:
        yield unknown_column(name, contract, at, loc)
    elif column.role in (Role.ID, Role.EVENT_TIME, Role.LABEL, Role.WEIGHT):
        yield at.problem(
            loc, f"{name} has the role {column.role.value} and makes no slices.", "Choose another.", code="slice"
        )
    elif column.logical_type not in _SLICEABLE:
        message = f"{name} is a {column.logical_type.value}; slices need a column with few values."
        yield at.problem(loc, message, "Choose text, a boolean or whole numbers.", code="slice")


def _check_deepchecks(gate: DeepchecksGate, at: Document, loc: Location) -> Iterator[Problem]:
    for index, suite in enumerate(gate.suites):
        if suite in gate.suites[:index]:
            yield at.problem((*loc, "suites", index), f"{suite} stands twice.", "Remove one.", code="duplicate")
    names = [name for suite in gate.suites for name in CHECKS[suite]]
    for index, name in enumerate(gate.allow):
        if name not in names:
            message = f"no check {name} is in {', '.join(gate.suites)}."
            yield at.problem((*loc, "allow", index), message, suggest(name, names), code="unknown-check")
    for index, condition in enumerate(gate.conditions):
        if condition.suite not in gate.suites or condition.check not in CHECKS[condition.suite]:
            message = f"no check {condition.check} of {condition.suite} is in {', '.join(gate.suites)}."
            yield at.problem(
                (*loc, "conditions", index, "check"), message, suggest(condition.check, names), code="unknown-check"
            )
    if set(names) <= set(gate.allow):
        yield at.problem((*loc, "allow"), "every check is allowed to fail.", "Allow fewer.", code="gate-cannot-fail")
