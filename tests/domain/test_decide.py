"""decide: every kind of gate passes, fails, warns, and breaks when what it needs was not measured."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.decide import Case, asks_holdout, decide, rounded
from dagster_project.domain.gates import (
    BaselineGate,
    BoundGate,
    CalibrationGate,
    ChampionGate,
    DeepchecksGate,
    Gate,
    LatencyGate,
    ParityGate,
    SizeGate,
    SlicesGate,
)
from dagster_project.domain.holdout import LEVEL, Permission, bound_confidence
from dagster_project.domain.measured import BASELINE, CALIBRATION, FLIPPED_LABELS, LATENCY, PARITY, SIZE, batch_name
from dagster_project.domain.verdict import (
    Comparison,
    Finding,
    HoldoutUse,
    Measurement,
    Measurements,
    Outcome,
    Subject,
    Verdict,
)

CASE = Case(
    subject=Subject(kind="model", name="delays"), challenger="sha256:b", challenger_onnx="sha256:c", champion="sha256:a"
)
SHARE = LEVEL / 20


def value(metric: str, number: float, **more: Any) -> Measurement:
    return Measurement(**{"metric": metric, "rows": "validation", "value": number, "count": 1000, **more})


def interval(metric: str, low: float, high: float, **more: Any) -> Measurement:
    return value(metric, (low + high) / 2, **{"low": low, "high": high, "confidence": 0.95, **more})


def compared(gain: float, low: float, rows: str = "holdout", **more: Any) -> Comparison:
    fields = {"metric": "roc_auc", "standard_error": 0.003, "count": 1000, "method": "delong"}
    significance = SHARE if rows == "holdout" else LEVEL
    return Comparison(**{**fields, "rows": rows, "gain": gain, "low": low, "significance": significance, **more})


def check(name: str, outcome: Outcome, **more: Any) -> Finding:
    fields = {"name": name, "source": "deepchecks", "outcome": outcome, "summary": "seen", "suite": "data_integrity"}
    return Finding(**{**fields, **more})


def permission(granted: bool = True) -> Permission:
    use = HoldoutUse(holdout="sha256:h", rows=1000, judgements=20, used=3, counted=granted, significance=SHARE)
    return Permission(granted=granted, use=use, budget="sha256:h", spends=granted, reason="" if granted else "spent")


def bound(**more: Any) -> BoundGate:
    return BoundGate(**{"kind": "bound", "metric": "roc_auc", "rows": "validation", "minimum": 0.6, **more})


def superior(**more: Any) -> ChampionGate:
    return ChampionGate(**{"kind": "champion", "metric": "roc_auc", "rows": "validation", **more})


SLICES = SlicesGate(kind="slices", metric="roc_auc", by=("carrier",), maximum_drop=0.05)
CHECKS = DeepchecksGate(kind="deepchecks", suites=("data_integrity",), allow=("DataDuplicates",))
WHOLE = interval("roc_auc", 0.69, 0.71)
PARITY_OK = (value(PARITY, 1e-7), value(FLIPPED_LABELS, 0.0))


def slice_of(name: str, low: float, high: float) -> Measurement:
    return interval("roc_auc", low, high, slice=f"carrier={name}")


TABLE: list[tuple[str, Gate, Measurements, Outcome]] = [
    ("bound kept", bound(), Measurements(values=(WHOLE,)), Outcome.PASSED),
    ("bound reached by the value alone", bound(minimum=0.7), Measurements(values=(WHOLE,)), Outcome.FAILED),
    ("bound at the interval's end", bound(minimum=0.69), Measurements(values=(WHOLE,)), Outcome.PASSED),
    ("maximum broken", bound(minimum=None, maximum=0.7), Measurements(values=(WHOLE,)), Outcome.FAILED),
    ("maximum kept", bound(minimum=None, maximum=0.71), Measurements(values=(WHOLE,)), Outcome.PASSED),
    ("only warns", bound(minimum=0.9, severity="warning"), Measurements(values=(WHOLE,)), Outcome.WARNED),
    ("not measured", bound(), Measurements(), Outcome.BROKEN),
    ("not measured, only warns", bound(severity="warning"), Measurements(), Outcome.BROKEN),
    ("without interval", bound(), Measurements(values=(value("roc_auc", 0.9),)), Outcome.BROKEN),
    ("other confidence", bound(confidence=0.99), Measurements(values=(WHOLE,)), Outcome.BROKEN),
    ("a slice is not the whole", bound(), Measurements(values=(slice_of("AA", 0.8, 0.9),)), Outcome.BROKEN),
    ("no number", bound(), Measurements(values=(interval("roc_auc", float("nan"), 1.0),)), Outcome.BROKEN),
    ("better", superior(), Measurements(comparisons=(compared(0.01, 0.001, "validation"),)), Outcome.PASSED),
    ("perhaps better", superior(), Measurements(comparisons=(compared(0.01, 0.0, "validation"),)), Outcome.FAILED),
    (
        "not better by the margin",
        superior(margin=0.005),
        Measurements(comparisons=(compared(0.01, 0.004, "validation"),)),
        Outcome.FAILED,
    ),
    (
        "hardly worse",
        superior(test="non_inferiority", margin=0.01),
        Measurements(comparisons=(compared(-0.002, -0.008, "validation"),)),
        Outcome.PASSED,
    ),
    (
        "perhaps worse",
        superior(test="non_inferiority", margin=0.01),
        Measurements(comparisons=(compared(-0.002, -0.01, "validation"),)),
        Outcome.FAILED,
    ),
    ("not compared", superior(), Measurements(), Outcome.BROKEN),
    (
        "compared at another level",
        superior(),
        Measurements(comparisons=(compared(0.01, 0.005, "validation", significance=0.4),)),
        Outcome.BROKEN,
    ),
    ("even slices", SLICES, Measurements(values=(WHOLE, slice_of("AA", 0.6, 0.66))), Outcome.PASSED),
    ("a bad slice", SLICES, Measurements(values=(WHOLE, slice_of("AA", 0.5, 0.64))), Outcome.FAILED),
    ("no slices", SLICES, Measurements(values=(WHOLE,)), Outcome.BROKEN),
    ("slices without the whole", SLICES, Measurements(values=(slice_of("AA", 0.6, 0.66),)), Outcome.BROKEN),
    (
        "a small slice",
        SLICES,
        Measurements(values=(WHOLE, value("roc_auc", 0.1, slice="carrier=AA", count=10))),
        Outcome.PASSED,
    ),
    (
        "a large slice without interval",
        SLICES,
        Measurements(values=(WHOLE, value("roc_auc", 0.1, slice="carrier=AA"))),
        Outcome.BROKEN,
    ),
    (
        "calibrated",
        CalibrationGate(kind="calibration", maximum=0.05),
        Measurements(values=(value(CALIBRATION, 0.05),)),
        Outcome.PASSED,
    ),
    (
        "not calibrated",
        CalibrationGate(kind="calibration", maximum=0.05),
        Measurements(values=(value(CALIBRATION, 0.051),)),
        Outcome.FAILED,
    ),
    (
        "better than the baseline",
        BaselineGate(kind="baseline"),
        Measurements(values=(interval(BASELINE, 0.01, 0.05),)),
        Outcome.PASSED,
    ),
    (
        "perhaps no better than the baseline",
        BaselineGate(kind="baseline"),
        Measurements(values=(interval(BASELINE, 0.0, 0.05),)),
        Outcome.FAILED,
    ),
    ("no baseline", BaselineGate(kind="baseline"), Measurements(), Outcome.BROKEN),
    ("no calibration", CalibrationGate(kind="calibration", maximum=0.05), Measurements(), Outcome.BROKEN),
    (
        "fast",
        LatencyGate(kind="latency", maximum_ms=5),
        Measurements(values=(value(LATENCY, 4, slice=batch_name(1)),)),
        Outcome.PASSED,
    ),
    (
        "slow",
        LatencyGate(kind="latency", maximum_ms=5),
        Measurements(values=(value(LATENCY, 6, slice=batch_name(1)),)),
        Outcome.FAILED,
    ),
    (
        "another batch",
        LatencyGate(kind="latency", maximum_ms=5, batch=100),
        Measurements(values=(value(LATENCY, 4, slice=batch_name(1)),)),
        Outcome.BROKEN,
    ),
    ("small", SizeGate(kind="size", maximum_mb=1), Measurements(values=(value(SIZE, 0.5),)), Outcome.PASSED),
    ("large", SizeGate(kind="size", maximum_mb=1), Measurements(values=(value(SIZE, 1.5),)), Outcome.FAILED),
    ("no size", SizeGate(kind="size", maximum_mb=1), Measurements(), Outcome.BROKEN),
    ("parity", ParityGate(kind="parity"), Measurements(values=PARITY_OK), Outcome.PASSED),
    (
        "no parity",
        ParityGate(kind="parity"),
        Measurements(values=(value(PARITY, 2e-5), PARITY_OK[1])),
        Outcome.FAILED,
    ),
    (
        "a flipped label",
        ParityGate(kind="parity"),
        Measurements(values=(PARITY_OK[0], value(FLIPPED_LABELS, 1))),
        Outcome.FAILED,
    ),
    (
        "parity on no rows",
        ParityGate(kind="parity"),
        Measurements(values=(value(PARITY, 0, count=0), PARITY_OK[1])),
        Outcome.FAILED,
    ),
    (
        "a negative claim",
        ParityGate(kind="parity"),
        Measurements(values=(value(PARITY, -1), PARITY_OK[1])),
        Outcome.FAILED,
    ),
    ("no claim", ParityGate(kind="parity"), Measurements(), Outcome.BROKEN),
    ("checks", CHECKS, Measurements(checks=(check("MixedNulls", Outcome.PASSED),)), Outcome.PASSED),
    ("a failed check", CHECKS, Measurements(checks=(check("MixedNulls", Outcome.FAILED),)), Outcome.FAILED),
    ("an allowed check", CHECKS, Measurements(checks=(check("DataDuplicates", Outcome.FAILED),)), Outcome.PASSED),
    ("an allowed broken one", CHECKS, Measurements(checks=(check("DataDuplicates", Outcome.BROKEN),)), Outcome.BROKEN),
    ("no checks", CHECKS, Measurements(), Outcome.BROKEN),
]
EXIT = {Outcome.PASSED: 0, Outcome.WARNED: 0, Outcome.FAILED: 1, Outcome.BROKEN: 3}


@pytest.mark.parametrize(("name", "gate", "found", "outcome"), TABLE, ids=[row[0] for row in TABLE])
def test_a_gate_answers(name: str, gate: Gate, found: Measurements, outcome: Outcome) -> None:
    verdict = decide([gate], found, CASE)
    assert verdict.findings[-1].outcome is outcome
    assert verdict.exit_code == EXIT[outcome]
    assert verdict.promotable == (verdict.exit_code == 0)
    assert bool(verdict.reasons) == (verdict.exit_code != 0)


def test_every_kind_of_gate_is_in_the_table() -> None:
    kinds = {row[1].kind for row in TABLE}
    assert kinds == {
        "baseline",
        "bound",
        "champion",
        "slices",
        "calibration",
        "deepchecks",
        "parity",
        "latency",
        "size",
    }


HOLDOUT = (bound(), superior(rows="holdout"))
FIRST = Measurements(values=(WHOLE,))
BETTER = Measurements(values=(WHOLE,), comparisons=(compared(0.0123456, 0.002),))
WORSE = Measurements(values=(WHOLE,), comparisons=(compared(0.0123456, -0.002),))


def test_the_holdout_is_asked_only_when_everything_else_passed() -> None:
    assert asks_holdout(HOLDOUT, FIRST, CASE)
    assert not asks_holdout(HOLDOUT, Measurements(values=(interval("roc_auc", 0.1, 0.2),)), CASE)
    assert not asks_holdout(HOLDOUT, Measurements(), CASE)
    assert not asks_holdout(HOLDOUT, FIRST, CASE.model_copy(update={"preview": True}))
    assert not asks_holdout((bound(),), FIRST, CASE)
    trust = check("provenance", Outcome.FAILED, source="trust", suite=None)
    assert not asks_holdout(HOLDOUT, FIRST.model_copy(update={"checks": (trust,)}), CASE)


def test_better_on_the_holdout_is_promotable_and_shows_rounded_gains() -> None:
    verdict = decide(HOLDOUT, BETTER, CASE, permission())
    assert (verdict.outcome, verdict.promotable, verdict.reasons) == ("passed", True, ())
    assert verdict.holdout is not None
    [shown] = verdict.comparisons
    assert (shown.gain, shown.standard_error) == (0.012, 0.003)


def test_a_failed_challenger_learns_nothing_else_of_the_holdout() -> None:
    """Whatever the holdout said, the published verdict of a failure is the same bytes."""
    one = decide(HOLDOUT, WORSE, CASE, permission())
    much_worse = Measurements(values=(WHOLE,), comparisons=(compared(-0.4, -0.5, standard_error=0.02),))
    assert one.outcome == "failed"
    assert one.to_json() == decide(HOLDOUT, much_worse, CASE, permission()).to_json()


def test_two_holdout_gates_answer_together() -> None:
    gates = (*HOLDOUT, bound(rows="holdout", metric="accuracy"))
    confidence = bound_confidence(0.95, SHARE)
    assert confidence == pytest.approx(0.9975)

    def outcome(low: float, gain_low: float) -> Verdict:
        measured = interval("accuracy", low, 0.9, rows="holdout", confidence=confidence)
        found = Measurements(values=(WHOLE, measured), comparisons=(compared(0.01, gain_low),))
        return decide(gates, found, CASE, permission())

    assert outcome(0.7, 0.001).promotable
    failures = {outcome(*case).to_json() for case in ((0.5, 0.001), (0.7, -0.001), (0.5, -0.001))}
    assert len(failures) == 1
    assert "accuracy" not in {m.metric for m in outcome(0.7, 0.001).measurements}
    assert all(f.value is None for f in outcome(0.7, 0.001).findings if f.rows == "holdout")


def test_a_holdout_that_should_have_been_asked_and_was_not_is_broken() -> None:
    assert decide(HOLDOUT, FIRST, CASE).outcome == "broken"
    assert decide(HOLDOUT, FIRST, CASE, permission()).outcome == "broken"  # permitted, not measured


def test_a_spent_holdout_promotes_nothing() -> None:
    verdict = decide(HOLDOUT, BETTER, CASE, permission(granted=False))
    assert (verdict.outcome, verdict.promotable, verdict.comparisons) == ("failed", False, ())
    assert "spent" in verdict.reasons[0]


def test_a_preview_asks_no_holdout_and_promotes_nothing() -> None:
    verdict = decide(HOLDOUT, FIRST, CASE.model_copy(update={"preview": True}))
    assert (verdict.outcome, verdict.promotable) == ("passed", False)
    assert verdict.findings[-1].outcome is Outcome.NOT_APPLICABLE
    assert "preview" in verdict.reasons[0]


def test_without_a_champion_there_is_nothing_to_beat() -> None:
    verdict = decide(HOLDOUT, FIRST, CASE.model_copy(update={"champion": None}), permission())
    assert verdict.promotable
    assert verdict.findings[-1].outcome is Outcome.NOT_APPLICABLE


def test_the_champions_own_bytes_pass_and_replace_nothing() -> None:
    verdict = decide(HOLDOUT, FIRST, CASE.model_copy(update={"champion": "sha256:c"}), permission())
    assert (verdict.outcome, verdict.promotable) == ("passed", False)
    assert "same bytes" in " ".join(verdict.reasons)


def test_loosening_and_promoting_are_two_pull_requests() -> None:
    verdict = decide(HOLDOUT, BETTER, CASE.model_copy(update={"loosened": ("minimum 0.6 -> 0.5",)}), permission())
    assert (verdict.outcome, verdict.promotable) == ("passed", False)
    assert "minimum 0.6 -> 0.5" in verdict.reasons[0]


def test_no_gate_promotes_nothing() -> None:
    assert not decide((), Measurements(), CASE).promotable


def test_a_datasets_failed_check_fails_and_a_models_warns_where_no_gate_asks() -> None:
    found = Measurements(checks=(check("MixedNulls", Outcome.FAILED),))
    dataset = Case(subject=Subject(kind="dataset", name="flights"))
    assert decide((), found, dataset).outcome == "failed"
    assert not decide((), Measurements(), dataset).promotable
    verdict = decide((ParityGate(kind="parity"),), found.model_copy(update={"values": PARITY_OK}), CASE)
    assert verdict.outcome == "passed"
    assert verdict.findings[0].outcome is Outcome.WARNED


def test_a_broken_check_breaks_the_verdict_even_beside_a_failure() -> None:
    checks = (check("A", Outcome.BROKEN), check("B", Outcome.FAILED))
    verdict = decide((bound(minimum=0.9),), Measurements(values=(WHOLE,), checks=checks), CASE)
    assert verdict.exit_code == 3
    assert len(verdict.reasons) == 3 - 1  # B only warns: no gate names its suite


@given(st.floats(-1, 1), st.floats(1e-9, 1))
def test_rounding_keeps_the_gain_within_a_standard_error(gain: float, error: float) -> None:
    shown = rounded(compared(gain, gain - 3 * error, standard_error=error))
    assert abs(shown.gain - gain) <= shown.standard_error
    assert 0.6 * error <= shown.standard_error <= 1.5 * error
    steps = shown.gain / shown.standard_error
    assert steps == pytest.approx(round(steps), abs=1e-6)
