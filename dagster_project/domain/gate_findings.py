"""One gate held against what was measured: a Finding. What was not measured is broken, never passed."""

from collections.abc import Sequence
from math import isclose, isfinite

from .gate_finding import finding, missing
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
from .holdout import LEVEL, bound_confidence
from .learnt_findings import check_learnt
from .measured import CALIBRATION, FLIPPED_LABELS, LATENCY, NEAR_DUPLICATES, PARITY, SIZE, batch_name
from .metrics import METRICS
from .verdict import Comparison, Finding, Measurement, Measurements, Outcome


def check_gate(gate: Gate, found: Measurements, champion: str | None, same: bool, significance: float) -> Finding:
    """``gate`` against ``found``; ``same``: challenger and champion are the same bytes.

    ``significance`` is the level of comparisons on the rows that the gate speaks of.
    """
    match gate:
        case BoundGate():
            return _bound(gate, found, significance)
        case ChampionGate():
            return _champion(gate, found, champion, same, significance)
        case SlicesGate():
            return _slices(gate, found)
        case DeepchecksGate():
            return _deepchecks(gate, found)
        case ParityGate():
            return _parity(gate, found)
        case BaselineGate() | RobustnessGate() | BehaviourGate():
            return check_learnt(gate, found)
        case NearDuplicatesGate() | CalibrationGate() | LatencyGate() | SizeGate():
            return _at_most(gate, found)


def _bound(gate: BoundGate, found: Measurements, significance: float) -> Finding:
    confidence = bound_confidence(gate.confidence, significance if gate.rows == "holdout" else LEVEL)
    measured = [m for m in _whole(found.values, gate.metric, gate.rows) if _close(m.confidence, confidence)]
    if not measured or measured[0].low is None or measured[0].high is None:
        return missing(gate, f"{gate.metric} on {gate.rows} with a {confidence:.4g} interval")
    seen = measured[0]
    low, high = float(measured[0].low), float(measured[0].high)
    wanted = [f"at least {gate.minimum:g}"] if gate.minimum is not None else []
    wanted += [f"at most {gate.maximum:g}"] if gate.maximum is not None else []
    passed = (gate.minimum is None or low >= gate.minimum) and (gate.maximum is None or high <= gate.maximum)
    value = f"{seen.value:.4g} [{low:.4g}, {high:.4g}]"
    summary = f"{gate.metric} is {value}; the whole interval must be {' and '.join(wanted)}."
    hint = "" if passed else "A better model, or more rows for a narrower interval."
    return finding(gate, passed, summary, value=value, bound=" and ".join(wanted), hint=hint)


def _champion(
    gate: ChampionGate, found: Measurements, champion: str | None, same: bool, significance: float
) -> Finding:
    if champion is None or same:
        why = "There is no champion yet." if champion is None else "The challenger is the champion: the same bytes."
        return finding(gate, True, why).model_copy(update={"outcome": Outcome.NOT_APPLICABLE})
    seen = next((c for c in found.comparisons if _answers(c, gate, significance)), None)
    if seen is None or not isfinite(seen.low):
        return missing(gate, f"{gate.metric} against the champion on {gate.rows} at level {significance:.4g}")
    bound = gate.margin if gate.test == "superiority" else -gate.margin
    passed = seen.low > bound
    words = "gain" if gate.test == "superiority" else "loss is within the margin, and the gain"
    summary = (
        f"{gate.metric}: gain {seen.gain:+.4g}, surely above {seen.low:+.4g} (level {significance:.2g}); "
        f"the {words} must surely exceed {bound:+.4g}."
    )
    hint = "" if passed else "What chance may explain replaces no champion: a better model, or more labelled rows."
    return finding(gate, passed, summary, value=f"{seen.gain:+.4g}", bound=f"> {bound:+.4g}", hint=hint)


def _answers(seen: Comparison, gate: ChampionGate, significance: float) -> bool:
    return (seen.metric, seen.rows) == (gate.metric, gate.rows) and _close(seen.significance, significance)


def _slices(gate: SlicesGate, found: Measurements) -> Finding:
    """A slice fails when its interval, which holds for all slices at once, lies beyond the drop."""
    whole = _whole(found.values, gate.metric, "validation")
    slices = [m for m in found.values if m.metric == gate.metric and m.rows == "validation" and m.slice]
    unseen = [name for name in gate.by if not any(str(m.slice).startswith(f"{name}=") for m in slices)]
    if not whole or unseen:
        return missing(gate, f"{gate.metric} by {', '.join(unseen) or 'slice, on all rows'}")
    asked = [m for m in slices if str(m.slice).split("=", 1)[0] in gate.by and m.count >= gate.minimum_rows]
    if any(m.low is None or m.high is None for m in asked):
        return missing(gate, f"an interval of {gate.metric} by slice")
    drops = {str(m.slice): _drop(whole[0], m) for m in asked}
    bad = sorted((name for name, drop in drops.items() if drop > gate.maximum_drop), key=lambda name: -drops[name])
    worst = max(drops, key=lambda name: drops[name], default=None)
    summary = f"No slice of {len(drops)} is surely worse than the whole by more than {gate.maximum_drop:g}."
    if bad:
        named = ", ".join(f"{name} (at least {drops[name]:.3g})" for name in bad[:5])
        summary = f"{len(bad)} of {len(drops)} slices are surely worse than the whole: {named}."
    details = {"worst": worst, "drops": {name: round(drop, 6) for name, drop in sorted(drops.items())}}
    bound = f"drop <= {gate.maximum_drop:g}"
    return finding(gate, not bad, summary, bound=bound, details=details, hint="Look at these rows." if bad else "")


def _drop(whole: Measurement, part: Measurement) -> float:
    """By how much the slice is worse than the whole, at the kind end of its interval."""
    if METRICS[part.metric].greater_is_better:
        return whole.value - float(part.high or 0.0)
    return float(part.low or 0.0) - whole.value


def _deepchecks(gate: DeepchecksGate, found: Measurements) -> Finding:
    checks = [check for check in found.checks if check.source == "deepchecks" and check.suite in gate.suites]
    absent = [suite for suite in gate.suites if not any(check.suite == suite for check in checks)]
    if absent:
        return missing(gate, f"the suite {', '.join(absent)}")
    broken = sorted({check.name for check in checks if check.outcome is Outcome.BROKEN})
    if broken:
        hint = "A check that did not run has not passed; see its finding."
        return finding(gate, None, f"{len(broken)} checks did not run: {', '.join(broken)}.", rows=None, hint=hint)
    failed = [check.name for check in checks if check.outcome is Outcome.FAILED and check.name not in gate.allow]
    failed = sorted(set(failed))
    passed = sum(check.outcome is Outcome.PASSED for check in checks)
    summary = f"{passed} of {len(checks)} checks passed, none failed that is not allowed to."
    if failed:
        summary = f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}."
    return finding(gate, not failed, summary, rows=None, details={"failed": failed})


def _parity(gate: ParityGate, found: Measurements) -> Finding:
    claims = [_whole(found.values, name, "validation") for name in (PARITY, FLIPPED_LABELS)]
    if not all(claims):
        return missing(gate, "parity")
    difference, flipped = (claim[0] for claim in claims)
    passed = difference.count > 0 and 0 <= difference.value <= gate.maximum and flipped.value == 0
    value = f"{difference.value:.2g}, {flipped.value:.0f} labels flipped"
    summary = f"The build says: largest difference {value}, on {difference.count} rows."
    hint = "" if passed else "The exported graph does not answer as the estimator does: see the export."
    return finding(gate, passed, summary, value=value, bound=f"<= {gate.maximum:g}", hint=hint)


def _at_most(gate: NearDuplicatesGate | CalibrationGate | LatencyGate | SizeGate, found: Measurements) -> Finding:
    metric, maximum, unit, slice = _limit(gate)
    measured = [m for m in found.values if (m.metric, m.rows, m.slice) == (metric, "validation", slice)]
    if not measured or not isfinite(measured[0].value):
        return missing(gate, metric)
    value = f"{measured[0].value:.3g}{unit}"
    summary = f"{value}; at most {maximum:g}{unit} is allowed."
    return finding(gate, measured[0].value <= maximum, summary, value=value, bound=f"<= {maximum:g}{unit}")


def _limit(
    gate: NearDuplicatesGate | CalibrationGate | LatencyGate | SizeGate,
) -> tuple[str, float, str, str | None]:
    match gate:
        case NearDuplicatesGate():
            return NEAR_DUPLICATES, gate.maximum, "", None
        case CalibrationGate():
            return CALIBRATION, gate.maximum, "", None
        case LatencyGate():
            return LATENCY, gate.maximum_ms, " ms", batch_name(gate.batch)
        case SizeGate():
            return SIZE, gate.maximum_mb, " MB", None


def _whole(values: Sequence[Measurement], metric: str, rows: str) -> list[Measurement]:
    """Measurements of all rows, those that are numbers."""
    fitting = (m for m in values if (m.metric, m.rows, m.slice) == (metric, rows, None))
    return [m for m in fitting if all(isfinite(x) for x in (m.value, m.low or 0.0, m.high or 0.0))]


def _close(found: float | None, wanted: float) -> bool:
    return found is not None and isclose(found, wanted, rel_tol=1e-9)
