"""Is a gate at least as strict as another? What is not clearly stricter counts as loosening."""

from collections.abc import Iterable

from .behaviour import Behaviour
from .gates import (
    BaselineGate,
    BehaviourGate,
    BoundGate,
    CalibrationGate,
    ChampionGate,
    DeepchecksGate,
    Gate,
    LatencyGate,
    NearDuplicatesGate,
    ParityGate,
    RobustnessGate,
    SizeGate,
    SlicesGate,
)


def loosened(base: Iterable[Gate], head: Iterable[Gate]) -> tuple[Gate, ...]:
    """The base's gates that no gate of the head is as strict as."""
    after = tuple(head)
    return tuple(gate for gate in base if not any(implies(new, gate) for new in after))


def implies(new: Gate, old: Gate) -> bool:
    """Whether whatever passes ``new`` passes ``old``, as far as the two can be compared."""
    if type(new) is not type(old) or (new.severity == "warning" and old.severity == "error"):
        return False
    match new, old:
        case BoundGate(), BoundGate():
            return _bound(new, old)
        case ChampionGate(), ChampionGate():
            return _champion(new, old)
        case SlicesGate(), SlicesGate():
            return _slices(new, old)
        case DeepchecksGate(), DeepchecksGate():
            stricter = set(new.suites) >= set(old.suites) and set(new.allow) <= set(old.allow)
            return stricter and new.conditions == old.conditions
        case RobustnessGate(), RobustnessGate():
            same = new.metric == old.metric and set(new.changes) >= set(old.changes)
            return same and new.maximum_drop <= old.maximum_drop
        case BehaviourGate(), BehaviourGate():
            return set(map(_said, new.tests)) >= set(map(_said, old.tests))
    return _simple(new, old)


def _simple(new: Gate, old: Gate) -> bool:
    match new, old:
        case LatencyGate(), LatencyGate():
            return new.batch == old.batch and new.maximum_ms <= old.maximum_ms
        case SizeGate(), SizeGate():
            return new.maximum_mb <= old.maximum_mb
    if isinstance(new, _CEILINGS) and isinstance(old, _CEILINGS):
        return new.maximum <= old.maximum
    return isinstance(new, BaselineGate)  # it has nothing that could be set lower


_CEILINGS = (CalibrationGate, ParityGate, NearDuplicatesGate)


def _said(test: Behaviour) -> str:
    return test.content_digest()


def _bound(new: BoundGate, old: BoundGate) -> bool:
    if (new.metric, new.rows) != (old.metric, old.rows) or new.confidence < old.confidence:
        return False
    low = old.minimum is None or (new.minimum is not None and new.minimum >= old.minimum)
    return low and (old.maximum is None or (new.maximum is not None and new.maximum <= old.maximum))


def _champion(new: ChampionGate, old: ChampionGate) -> bool:
    if (new.metric, new.rows) != (old.metric, old.rows):
        return False
    if new.test == old.test:
        return new.margin >= old.margin if new.test == "superiority" else new.margin <= old.margin
    return new.test == "superiority"


def _slices(new: SlicesGate, old: SlicesGate) -> bool:
    # A higher confidence widens the interval, which here is the benefit of the doubt: only an equal one compares.
    same = new.metric == old.metric and new.confidence == old.confidence
    return (
        same
        and set(new.by) >= set(old.by)
        and new.maximum_drop <= old.maximum_drop
        and new.minimum_rows <= old.minimum_rows
    )
