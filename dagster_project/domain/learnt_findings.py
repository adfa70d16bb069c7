"""Gates that ask what a model has learnt: more than a baseline knows, what stays when rows are disturbed, to behave."""

from math import isfinite

from .gate_finding import finding, missing
from .gates import BaselineGate, BehaviourGate, RobustnessGate
from .measured import BASELINE, BEHAVIOUR, loss_of
from .verdict import Finding, Measurements


def check_learnt(gate: BaselineGate | RobustnessGate | BehaviourGate, found: Measurements) -> Finding:
    """``gate`` against those of ``found`` that are of a baseline, a disturbance or a test, by its name."""
    match gate:
        case BaselineGate():
            return _baseline(gate, found)
        case RobustnessGate():
            return _robustness(gate, found)
        case BehaviourGate():
            return _behaviour(gate, found)


def _baseline(gate: BaselineGate, found: Measurements) -> Finding:
    measured = [m for m in found.values if m.metric == BASELINE and m.low is not None and isfinite(m.low)]
    if not measured:
        return missing(gate, "the gain over the baseline")
    least = min(measured, key=lambda m: float(m.low or 0.0))
    value, low = f"{least.value:.4g}", float(least.low or 0.0)
    summary = (
        f"It loses {value} less than {least.against or 'the baseline'}, surely {low:.4g} or more; that must be above 0."
    )
    hint = "" if low > 0 else "It has learnt nothing that holds: look for features that say something."
    return finding(gate, low > 0, summary, value=value, bound="> 0", hint=hint)


def _robustness(gate: RobustnessGate, found: Measurements) -> Finding:
    drops = {m.against: m for m in found.values if m.metric == loss_of(gate.metric)}
    absent = [change for change in gate.changes if change not in drops or not isfinite(drops[change].value)]
    if absent:
        return missing(gate, f"{gate.metric} under {', '.join(absent)}")
    asked = sorted((drops[change] for change in gate.changes), key=lambda m: -m.value)
    bad = [m for m in asked if m.value > gate.maximum_drop]
    summary = f"The most harm does {asked[0].against}: {asked[0].method}; at most {gate.maximum_drop:g} may be lost."
    if bad:
        summary = "; ".join(f"{m.against}: {m.method}" for m in bad) + f"; at most {gate.maximum_drop:g} may be lost."
    hint = "" if not bad else "Train on rows that are disturbed alike, or accept less."
    value, bound = f"{asked[0].value:.3g}", f"<= {gate.maximum_drop:g}"
    return finding(gate, not bad, summary, value=value, bound=bound, hint=hint)


def _behaviour(gate: BehaviourGate, found: Measurements) -> Finding:
    shares = {m.against: m.value for m in found.values if m.metric == BEHAVIOUR}
    absent = [test.name for test in gate.tests if not isfinite(shares.get(test.name, float("nan")))]
    if absent:
        return missing(gate, f"the behaviour {', '.join(absent)}")
    bad = [test for test in gate.tests if shares[test.name] < test.share]
    summary = f"{len(gate.tests) - len(bad)} of {len(gate.tests)} tests hold."
    if bad:
        told = (f"'{test.name}' holds for {shares[test.name]:.1%} of the rows, not {test.share:.1%}" for test in bad)
        summary += f" {'; '.join(told)}."
    hint = "" if not bad else "Look at what the model reads; or say in the test what it really must do."
    details = {"shares": {test.name: round(shares[test.name], 6) for test in gate.tests}}
    return finding(gate, not bad, summary, details=details, hint=hint)
