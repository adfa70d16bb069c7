"""Which labels a report asks for."""

from datetime import UTC, datetime

import pytest

from ci.forge.labels import LABELS, OWNED, wanted_labels
from ci.report.model import Report
from dagster_project.domain.plan import Change, Plan
from dagster_project.domain.verdict import Subject, Verdict


def report(*verdicts: Verdict, plan: Plan | None = None) -> Report:
    return Report(created=datetime(2026, 1, 1, tzinfo=UTC), verdicts=verdicts, plan=plan)


def verdict(**fields: object) -> Verdict:
    subject = Subject(kind="model", name="m")
    return Verdict.model_validate({"subject": subject, "outcome": "passed", **fields})


def change(**fields: object) -> Change:
    return Change.model_validate({"file": "f", "subject": "s", "kind": "contract", "what": "w", **fields})


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (report(), set()),
        (report(verdict(promotable=True)), {"challenger:better"}),
        (report(verdict(promotable=True), verdict(outcome="failed")), {"challenger:not-better"}),
        (report(verdict(promotable=True), verdict()), set()),
        (report(verdict(outcome="broken")), set()),
        (report(verdict(subject=Subject(kind="dataset", name="d"), outcome="failed")), set()),
        (report(verdict(preview=True)), {"verdict:preview"}),
        (report(verdict(loosened=("floor",))), {"gates:loosened"}),
        (report(plan=Plan(base="b", head="h", changes=(change(loosens=True),))), {"gates:loosened"}),
        (report(plan=Plan(base="b", head="h", reached={"flights": ()})), {"contract:breaking"}),
    ],
)
def test_labels_follow_the_report(asked: Report, wanted: set[str]) -> None:
    assert wanted_labels(asked) == wanted
    assert wanted_labels(asked) <= OWNED


def test_github_takes_the_table() -> None:
    for name, label in LABELS.items():
        assert len(name) <= 50 and len(label.description) <= 100
        assert len(label.color) == 6 and int(label.color, 16) >= 0


def test_the_approval_is_never_ours_to_put() -> None:
    assert "acts:train" in LABELS and "acts:train" not in OWNED
