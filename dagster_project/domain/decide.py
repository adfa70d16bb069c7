"""``decide``: gates and measurements in, a verdict out. Pure.

Two stages. Every gate that needs no holdout is held first; only when all pass (``asks_holdout``) does judge ask the
budget for a permission, measure on the holdout and decide again, with both. Of the holdout the verdict shows one
answer: its gates passed, or they did not all pass. When they passed, gains rounded to their standard error are shown.
"""

from collections.abc import Sequence
from math import floor, log10
from statistics import NormalDist
from typing import Any

from pydantic import Field

from .base import StrictModel
from .gate_finding import finding
from .gate_findings import check_gate
from .gates import DeepchecksGate, Gate
from .holdout import LEVEL, Permission
from .verdict import Comparison, Finding, Measurements, Outcome, Subject, Verdict

_STOPS = (Outcome.FAILED, Outcome.BROKEN)


class Case(StrictModel):
    """What is judged, and by whose rules."""

    subject: Subject
    challenger: str | None = Field(default=None, description="digest of the bundle")
    challenger_onnx: str | None = None
    champion: str | None = Field(default=None, description="digest of the champion's ONNX file; None: there is none")
    snapshot: str | None = None
    spec: str | None = None
    base: str | None = None
    head: str | None = None
    preview: bool = False
    loosened: tuple[str, ...] = ()
    facts: dict[str, Any] = Field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether the challenger is the champion, byte for byte."""
        return self.champion is not None and self.champion == self.challenger_onnx


def asks_holdout(gates: Sequence[Gate], found: Measurements, case: Case) -> bool:
    """Whether the holdout is to be asked: a gate needs it, every other passed, and the build is vouched for."""
    first = _first_stage(gates, found, case)
    return bool(_on_holdout(gates)) and not case.preview and not any(f.outcome in _STOPS for f in first)


def decide(gates: Sequence[Gate], found: Measurements, case: Case, permission: Permission | None = None) -> Verdict:
    """The verdict on ``case``. ``permission`` is the budget's answer; None while the holdout has not been asked."""
    first = _first_stage(gates, found, case)
    second = _second_stage(gates, found, case, permission, asked=asks_holdout(gates, found, case))
    findings = (*first, *second)
    outcomes = {f.outcome for f in findings}
    outcome = "broken" if Outcome.BROKEN in outcomes else "failed" if Outcome.FAILED in outcomes else "passed"
    holds_back = _holds_back(case, gates) if outcome == "passed" else ()
    granted = permission is not None and permission.granted
    return Verdict(
        outcome=outcome,
        promotable=outcome == "passed" and case.subject.kind == "model" and not holds_back,
        reasons=tuple(f"{f.name}: {f.summary}" for f in findings if f.outcome in _STOPS) + holds_back,
        findings=findings,
        measurements=tuple(m for m in found.values if m.rows != "holdout"),
        comparisons=tuple(_published(found.comparisons, outcome == "passed" and granted)),
        holdout=permission.use if permission else None,
        **{name: getattr(case, name) for name in Case.model_fields},
    )


def rounded(comparison: Comparison) -> Comparison:
    """The comparison as it may be published: the gain in whole standard errors, the standard error to one digit."""
    if comparison.standard_error <= 0:
        return comparison.model_copy(update={"gain": 0.0, "low": 0.0, "standard_error": 0.0})
    digits = -floor(log10(comparison.standard_error))
    step = round(comparison.standard_error, digits)
    gain = round(round(comparison.gain / step) * step, digits)
    low = round(gain + NormalDist().inv_cdf(comparison.significance) * step, digits + 1)
    return comparison.model_copy(update={"gain": gain, "low": low, "standard_error": step})


def _on_holdout(gates: Sequence[Gate]) -> list[Gate]:
    return [gate for gate in gates if getattr(gate, "rows", None) == "holdout"]


def _first_stage(gates: Sequence[Gate], found: Measurements, case: Case) -> list[Finding]:
    """Checks, and the gates that need no holdout."""
    held = [gate for gate in gates if getattr(gate, "rows", None) != "holdout"]
    found_by_gates = [check_gate(gate, found, case.champion, case.same, LEVEL) for gate in held]
    return [*(_check(check, gates, case) for check in found.checks), *found_by_gates]


def _check(check: Finding, gates: Sequence[Gate], case: Case) -> Finding:
    """A model's deepchecks answer to the gate that names their suite; on their own, or where allowed, they warn."""
    if case.subject.kind != "model" or check.source != "deepchecks" or check.outcome is not Outcome.FAILED:
        return check
    strict = [g for g in gates if isinstance(g, DeepchecksGate) and check.suite in g.suites and g.severity == "error"]
    if any(check.name not in gate.allow for gate in strict):
        return check
    return check.model_copy(update={"outcome": Outcome.WARNED})


def _second_stage(
    gates: Sequence[Gate], found: Measurements, case: Case, permission: Permission | None, asked: bool
) -> list[Finding]:
    """The gates on the holdout, answered together."""
    held = _on_holdout(gates)
    if not asked:
        why = "the build is not vouched for." if case.preview else "another gate said no first."
        return [_unasked(gate, f"The holdout was not asked: {why}") for gate in held]
    if permission is None:
        return [finding(gate, None, "The holdout was not asked, so the gate has not passed.") for gate in held]
    if not permission.granted:
        return [finding(gate, False, permission.reason, hint="Promote nothing until then.") for gate in held]
    results = [check_gate(gate, found, case.champion, case.same, permission.use.significance) for gate in held]
    if any(result.outcome is Outcome.BROKEN for result in results):
        return [
            result if result.outcome is Outcome.BROKEN else _unasked(gate, "See the gate that did not run.")
            for gate, result in zip(held, results, strict=True)
        ]
    if any(result.outcome is Outcome.FAILED for result in results):
        return [_not_all(gate, len(held)) for gate in held]
    return [_without_numbers(result) for result in results]


def _unasked(gate: Gate, why: str) -> Finding:
    return finding(gate, True, why).model_copy(update={"outcome": Outcome.NOT_APPLICABLE})


def _not_all(gate: Gate, count: int) -> Finding:
    words = "The gate did not pass." if count == 1 else f"The holdout's {count} gates did not all pass."
    hint = "By how much is not shown, so that nobody can tune to the holdout; see the gains on validation rows."
    return finding(gate, False, words, hint=hint)


def _without_numbers(result: Finding) -> Finding:
    if result.outcome is Outcome.NOT_APPLICABLE:
        return result
    words = "Passed." if result.outcome is Outcome.PASSED else "Did not pass; the gate only warns."
    return result.model_copy(update={"summary": words, "value": None, "details": {}})


def _published(comparisons: Sequence[Comparison], passed: bool) -> list[Comparison]:
    return [c if c.rows != "holdout" else rounded(c) for c in comparisons if c.rows != "holdout" or passed]


def _holds_back(case: Case, gates: Sequence[Gate]) -> tuple[str, ...]:
    """Why a model that passed may not be promoted."""
    if case.subject.kind != "model":
        return ()
    why = []
    if case.preview:
        why.append("No trusted launcher vouches for this build: a preview. Have a maintainer approve it.")
    if case.loosened:
        loosened = "; ".join(case.loosened)
        why.append(f"Loosening and promoting are two pull requests. Loosened here: {loosened}.")
    if case.same:
        why.append("The challenger is the champion already: the same bytes.")
    if case.challenger is None or case.challenger_onnx is None:
        why.append("There is no challenger.")
    if not gates:
        why.append("No gate was held against it.")
    return tuple(why)
