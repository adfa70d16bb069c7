"""A gate's finding, from whether it passed."""

from typing import Any

from .gates import Gate, title
from .verdict import Finding, Outcome


def finding(gate: Gate, passed: bool | None, summary: str, **more: Any) -> Finding:
    """The gate's finding: passed, failed (warned where the gate only warns), or broken where ``passed`` is None."""
    outcome = Outcome.PASSED if passed else Outcome.FAILED
    if outcome is Outcome.FAILED and gate.severity == "warning":
        outcome = Outcome.WARNED
    if passed is None:
        outcome = Outcome.BROKEN
    rows = getattr(gate, "rows", "validation")
    return Finding(name=title(gate), source="gate", outcome=outcome, summary=summary, **{"rows": rows, **more})


def missing(gate: Gate, what: str) -> Finding:
    """The gate is broken: what it is held against is not there."""
    return finding(gate, None, f"{what} was not measured, so the gate has not passed.", hint="Judge again.")
