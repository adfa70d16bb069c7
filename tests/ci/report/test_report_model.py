"""How a report ends, and what of the holdout gets into it."""

import json
from datetime import UTC, datetime

import pytest

from ci.report.files import as_markdown
from ci.report.model import Report, facts_of, lineage_of, not_run
from ci.report.summary import attention, headline
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import MachineryError, Problem
from dagster_project.domain.plan import Plan, PlanStep
from dagster_project.domain.repository import Repository
from dagster_project.domain.verdict import Finding, Outcome, Subject, Verdict

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PLAN = Plan(base="a", head="b")
PROBLEM = Problem(file="models/m/spec.yaml", line=3, message="unknown key", hint="Remove it.")


def finding(outcome: Outcome, name: str = "gate") -> Finding:
    return Finding(name=name, source="gate", outcome=outcome, summary="said so")


def verdict(outcome: str, *findings: Finding) -> Verdict:
    return Verdict(subject=Subject(kind="model", name="m"), outcome=outcome, findings=findings)


def build(outcome: str, *findings: Finding) -> BuildResult:
    return BuildResult(kind="model", name="m", outcome=outcome, findings=findings)


REFUSED = PLAN.model_copy(update={"findings": (finding(Outcome.FAILED, "version"),)})
PLAN_BROKE = PLAN.model_copy(update={"findings": (finding(Outcome.BROKEN, "version"),)})
CASES = {
    "nothing to do": ({"plan": PLAN}, "passed", 0),
    "passed": ({"plan": PLAN, "verdicts": (verdict("passed"),)}, "passed", 0),
    "gate said no": ({"verdicts": (verdict("failed", finding(Outcome.FAILED)),)}, "failed", 1),
    "check in the build said no": ({"builds": (build("failed", finding(Outcome.FAILED)),)}, "failed", 1),
    "plan refused": ({"plan": REFUSED}, "refused", 1),
    "files wrong": ({"problems": (PROBLEM,)}, "wrong", 2),
    "files wrong outweigh a refusal": ({"problems": (PROBLEM,), "plan": REFUSED}, "wrong", 2),
    "verdict broken": ({"verdicts": (verdict("broken"), verdict("failed"))}, "broken", 3),
    "build crashed without naming a check": ({"builds": (build("failed"),)}, "broken", 3),
    "check in the build broke": (
        {"builds": (build("failed", finding(Outcome.FAILED), finding(Outcome.BROKEN)),)},
        "broken",
        3,
    ),
    "check in the plan broke": ({"plan": PLAN_BROKE}, "broken", 3),
    "machinery outweighs wrong files": ({"problems": (PROBLEM,), "broken": ("the disk is full",)}, "broken", 3),
    "nothing ran at all": ({}, "broken", 3),
}


@pytest.mark.parametrize("name", CASES)
def test_worst_of_everything(name: str) -> None:
    values, ending, code = CASES[name]
    report = Report(created=NOW, **values)
    assert (report.ending, report.exit_code) == (ending, code)
    assert headline(report)


def test_step_without_result_has_not_passed() -> None:
    steps = (
        PlanStep(action="build", kind="model", name="m", reasons=(), reused=True),
        PlanStep(action="judge", kind="model", name="m", reasons=()),
    )
    plan = PLAN.model_copy(update={"steps": steps})
    report = Report(created=NOW, plan=plan)
    assert not_run(report) == ("judge m",)
    assert report.exit_code == 3
    assert "judge m" in headline(report)
    assert Report(created=NOW, plan=plan, verdicts=(verdict("passed"),)).exit_code == 0


def test_failed_headline_names_the_gates() -> None:
    said = headline(Report(created=NOW, verdicts=(verdict("failed", finding(Outcome.FAILED, "brier on holdout")),)))
    assert said == "Failed: model m: brier on holdout"


def test_holdout_detail_is_gone_from_the_json(report: Report) -> None:
    text = report.to_json()
    for secret in ("0.734567", "0.690123", "0.044444", "0.00271828", "0.0361"):
        assert secret not in text
    kept = next(c for v in report.verdicts for c in v.comparisons if c.rows == "holdout")
    assert (kept.gain, kept.standard_error) == (0.045, 0.003)
    gate = next(f for v in report.verdicts for f in v.findings if f.rows == "holdout")
    assert (gate.value, gate.details, gate.bound) == (None, {}, "> 0")


def test_json_round_trip_is_stable(report: Report) -> None:
    text = report.to_json()
    assert json.loads(text)["schema_version"] == 1
    assert Report.from_json(text) == report
    assert Report.from_json(text).to_json() == text


def test_attention_follows_from_facts(report: Report) -> None:
    notes = "\n".join(attention(report))
    for words in ("Breaking change of departures", "new categories OO, HA", "3 of 20 judgements", "trials failed"):
        assert words in notes
    assert "preview" not in notes
    judged = report.verdicts[1].model_copy(update={"preview": True, "loosened": ("gate brier was removed",)})
    notes = "\n".join(attention(report.model_copy(update={"verdicts": (judged,)})))
    assert "a preview" in notes
    assert "loosened: gate brier was removed" in notes


def test_dominant_column_is_pointed_out(report: Report) -> None:
    facts = facts_of(report.verdicts[1]).model_dump(mode="json")
    facts["importances"] = {"challenger": {"arrival_delay": 0.83, "hour": 0.1}, "champion": {}}
    judged = report.verdicts[1].model_copy(update={"facts": facts})
    notes = attention(report.model_copy(update={"verdicts": (judged,)}))
    assert any("arrival_delay alone carries 83.0 %" in note for note in notes)
    facts["importances"] = {"challenger": {"headline": 1.0}, "champion": {}}
    judged = report.verdicts[1].model_copy(update={"facts": facts})
    assert not [n for n in attention(report.model_copy(update={"verdicts": (judged,)})) if "alone carries" in n], (
        "the only one"
    )


def test_facts_that_do_not_fit_are_machinery() -> None:
    odd = verdict("passed").model_copy(update={"facts": {"rows": "many"}})
    with pytest.raises(MachineryError, match="facts that don't fit"):
        facts_of(odd)


def test_lineage_of_nothing() -> None:
    assert lineage_of(Repository()) == ()


def test_holdout_gates_that_did_not_all_pass_stay_alike() -> None:
    words = "The holdout's 2 gates did not all pass."
    gates = tuple(
        Finding(name=f"{name} on holdout", source="gate", outcome=Outcome.FAILED, summary=words, rows="holdout")
        for name in ("brier", "roc_auc")
    )
    report = Report(created=NOW, verdicts=(verdict("failed", *gates),))
    assert {f.summary for f in report.verdicts[0].findings} == {words}


def test_reasons_that_the_tables_give_are_not_repeated() -> None:
    failed = finding(Outcome.FAILED, "size")
    judged = verdict("failed", failed).model_copy(update={"reasons": ("size: said so", "There is no challenger.")})
    text = as_markdown(Report(created=NOW, verdicts=(judged,)))
    assert "size: said so" not in text.split("###", 1)[1]
    assert text.count("There is no challenger.") == 1


def test_passed_but_not_promotable_says_why() -> None:
    judged = verdict("passed", finding(Outcome.PASSED)).model_copy(update={"reasons": ("The same bytes.",)})
    said = headline(Report(created=NOW, verdicts=(judged,)))
    assert said == "Passed: model m passed 1 gate, but may not be promoted: The same bytes"
