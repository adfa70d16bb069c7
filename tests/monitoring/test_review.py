"""What people are asked, from real tables to the file that servers read."""

from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project.domain.review import ReviewQueue
from dagster_project.domain.verdict import Outcome
from dagster_project.monitoring.review import ask
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.reviews import Mark, Reviews
from tests.monitoring.reviewed import NOW, answer, row_id, say, watched, write


@pytest.fixture(autouse=True)
def of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACTS_HOME", "ACTS_WAREHOUSE", "ACTS_SERVING", "ACTS_LEDGER"):
        monkeypatch.delenv(name, raising=False)


def asked(queue: ReviewQueue) -> set[str]:
    return {row.row_id for row in queue.rows}


def test_young_unlabelled_answers_with_inputs_are_asked_about(tmp_path: Path) -> None:
    here = watched(tmp_path, budget=20, audit=0.0, twice=0.0)
    old, unborn = answer(3, 0.5, hours=24 * 31), answer(4, 0.5, hours=-2)
    rows = [answer(1, 0.5), answer(2, 0.9), old, unborn, answer(5, 0.5, inputs=False), answer(6, 0.5), answer(7, 0.5)]
    write(here, rows, natural=[6])
    say(here, (7, "ann", "true"))
    say(here, (1, "ann", "true"), model="another")
    queue = ask(here, NOW)
    assert asked(queue) == {row_id(1), row_id(2)} and queue.labelled == 1 and queue.candidates == 2
    assert Reviews(here.workspace.serving, "late").queue() == queue.to_json().encode()
    (kept,) = Ledger(here.workspace.ledger, "review").rows()
    assert (kept["model"], kept["labelled"], kept["agreement"]["rows"]) == ("late", 1, 0)


def test_the_least_certain_come_and_restricted_columns_are_not_shown(tmp_path: Path) -> None:
    here = watched(tmp_path, budget=3, audit=0.0, twice=0.0)
    write(here, [answer(number, number / 100) for number in range(100)])
    queue = ask(here, NOW)
    assert asked(queue) == {row_id(49), row_id(50), row_id(51)}
    assert [column.name for column in queue.columns] == ["miles", "seats", "windy"] and queue.question == "Was it late?"
    shown = {row.row_id: row.shown for row in queue.rows}[row_id(50)]
    assert shown == {"miles": 12.3, "seats": 50, "windy": True} and isinstance(shown["seats"], int)
    named = ask(watched(tmp_path, budget=3, columns=["miles"], question="Late?"), NOW)
    assert named.question == "Late?" and set(named.rows[0].shown) == {"miles"}


def test_a_regression_has_nothing_to_be_sure_of_and_says_so(tmp_path: Path) -> None:
    here = watched(tmp_path, budget=5)
    regression = here.spec.model_copy(update={"task": "regression", "positive": None})
    here = type(here)(regression, here.contract, None, here.workspace)
    write(here, [answer(number, 0.5, probabilities=None) for number in range(30)])
    queue = ask(here, NOW)
    assert len(queue.rows) == 5 and all(row.audit for row in queue.rows)
    assert "says nothing of how sure it is" in " ".join(queue.words())


def test_marks_count_before_labels_come_to_the_table_and_old_ones_go(tmp_path: Path) -> None:
    here = watched(tmp_path, budget=20, audit=0.0, twice=0.0)
    write(here, [answer(number, 0.5) for number in range(4)])
    reviews = Reviews(here.workspace.serving, "late")
    for mark in (
        Mark(row_id(0), "ann", "label"), Mark(row_id(1), "ann", "skip"), Mark(row_id(1), "bob", "skip"),
        Mark(row_id(2), "ann", "skip"), Mark(row_id(99), "ann", "label"),
    ):  # fmt: skip
        reviews.mark(mark)
    queue = ask(here, NOW)
    assert asked(queue) == {row_id(2), row_id(3)} and queue.dropped == 1
    assert row_id(99) not in Reviews(here.workspace.serving, "late").done()
    assert asked(ask(here, NOW + timedelta(days=40))) == set()
    assert Reviews(here.workspace.serving, "late").done() == {}


def test_agreement_is_measured_and_who_disagree_are_asked_with_a_third(tmp_path: Path) -> None:
    here = watched(tmp_path, budget=50, audit=0.0, twice=1.0)
    write(here, [answer(number, 0.5) for number in range(40)])
    said = {number: "true" if number % 2 else "false" for number in range(30)}
    say(here, *((number, "ann", label) for number, label in said.items()))
    other = said | dict.fromkeys(range(0, 28, 2), "true")
    say(here, *((number, "bob", label) for number, label in other.items()))
    say(here, (1, "ann", "false"), (1, "ann", "true"))  # she thought again, twice
    queue = ask(here, NOW)
    (pair,) = queue.agreement.pairs
    assert (pair.people, pair.rows, pair.equal) == (("ann", "bob"), 30, pytest.approx(16 / 30))
    assert pair.kappa is not None and queue.agreement.open == 14
    third = {row.row_id: (row.wanted, row.people) for row in queue.rows if row.people}
    assert third == {row_id(number): (3, ("ann", "bob")) for number in range(0, 28, 2)}
    (finding,) = queue.findings()
    assert finding.outcome is Outcome.WARNED and "14 without a majority" in finding.summary
    assert any("ann and bob: 30 rows, 53 % equal, kappa" in line for line in queue.words())


def test_nothing_answered_is_an_empty_queue(tmp_path: Path) -> None:
    queue = ask(watched(tmp_path), NOW)
    assert queue.rows == () and queue.findings()[0].outcome is Outcome.NOT_APPLICABLE
