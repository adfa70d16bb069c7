"""What was found becomes remarks on lines."""

from datetime import UTC, datetime

import pytest

from ci.forge.annotations import MESSAGE, MOST, annotations, of_finding, of_report
from ci.forge.values import Annotation
from ci.report.model import Report
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import Problem
from dagster_project.domain.plan import Plan
from dagster_project.domain.verdict import Finding, Outcome, Subject, Verdict


def found(outcome: Outcome, name: str = "nulls", **fields: object) -> Finding:
    values = {"summary": "12 % are null.", "file": "data_contracts/x.yaml", "line": 7} | fields
    return Finding.model_validate({"name": name, "source": "contract", "outcome": outcome, **values})


def test_a_problem_says_what_is_wrong_and_what_to_do() -> None:
    problem = Problem(file="models/m/spec.yaml", line=3, where="gates", message="No gate.", hint="Add one.")
    (note,) = annotations([problem], [])
    assert note == Annotation(
        path="models/m/spec.yaml",
        start_line=3,
        end_line=3,
        level="failure",
        title="gates",
        message="No gate.\nAdd one.",
    )


@pytest.mark.parametrize(
    ("outcome", "level"),
    [("failed", "failure"), ("broken", "failure"), ("warned", "warning"), ("passed", None), ("not_applicable", None)],
)
def test_the_level_follows_the_outcome(outcome: str, level: str | None) -> None:
    note = of_finding(found(Outcome(outcome)))
    assert (note.level if note else None) == level


def test_a_finding_without_a_file_is_no_annotation_and_one_without_a_line_stands_at_the_first() -> None:
    assert of_finding(found(Outcome.FAILED, file=None)) is None
    note = of_finding(found(Outcome.FAILED, line=None))
    assert note is not None and note.start_line == note.end_line == 1


def test_failures_come_first_then_places_and_each_once() -> None:
    warned, late = found(Outcome.WARNED, file="a.yaml"), found(Outcome.FAILED, file="b.yaml", line=9)
    early = found(Outcome.FAILED, file="b.yaml", line=2)
    places = [(note.level, note.path, note.start_line) for note in annotations([], [warned, late, early, late])]
    assert places == [("failure", "b.yaml", 2), ("failure", "b.yaml", 9), ("warning", "a.yaml", 7)]


def test_titles_and_messages_are_bounded_and_show_control_characters() -> None:
    long = found(Outcome.FAILED, name="n" * 300 + "\x1b[31m", summary="a" + "ü" * 40_000, hint="a\x07b")
    (note,) = annotations([], [long])
    assert len(note.title) == 255
    assert len(note.message.encode()) <= MESSAGE + 3 and note.message.endswith("ü…")
    (rung,) = annotations([], [found(Outcome.FAILED, name="x\ny", summary="a\x07b")])
    assert (rung.title, rung.message) == ("x y", "a\\x07b")


def test_a_stranger_cannot_plant_more_than_the_most_and_failures_stay() -> None:
    many = [found(Outcome.WARNED, line=line) for line in range(1, 1000)]
    notes = annotations([], [*many, found(Outcome.FAILED)])
    assert len(notes) == MOST and notes[0].level == "failure"


def test_a_report_is_asked_everywhere() -> None:
    subject = Subject(kind="dataset", name="x")
    report = Report(
        created=datetime(2026, 1, 1, tzinfo=UTC),
        plan=Plan(base="b", head="h", findings=(found(Outcome.FAILED, file="plan.yaml"),)),
        builds=(
            BuildResult(
                kind="dataset", name="x", outcome="failed", findings=(found(Outcome.FAILED, file="build.yaml"),)
            ),
        ),
        verdicts=(Verdict(subject=subject, outcome="failed", findings=(found(Outcome.FAILED, file="judge.yaml"),)),),
        problems=(Problem(file="problem.yaml", message="wrong"),),
    )
    assert [note.path for note in of_report(report)] == ["build.yaml", "judge.yaml", "plan.yaml", "problem.yaml"]
