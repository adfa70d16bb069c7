"""What answers lean on in production against what they leant on when judged; the worst errors with their reasons."""

from dataclasses import replace
from pathlib import Path

import pytest

from dagster_project.domain.verdict import Outcome
from dagster_project.monitoring.explanation import LEDGER, explain
from dagster_project.monitoring.reconcile import reconcile
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.ledger import Ledger
from tests.monitoring.deployed import FIRST, at, play, watching


def here_of(repo: Path) -> Watched:
    return watching(repo, explanations={"window": "P7D", "rows": 200})


def test_shares_sum_to_one_and_do_not_move_where_nothing_did(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(7))
    reconcile(here, at(9))
    found = explain(here, at(9))
    assert found.begin == FIRST and found.rows == 200 and not found.moved
    assert sum(each.now for each in found.columns) == pytest.approx(1) == sum(each.judged for each in found.columns)
    assert {each.name: each.now for each in found.columns}["carrier"] == 0.0, "one carrier tells nothing"
    assert found.findings()[0].outcome is Outcome.PASSED
    assert found.words()[0].startswith("200 answers from 2026-01-05 to before 2026-01-12 lean most on ")


def test_a_column_that_counts_for_more_than_it_did_is_named(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(7), miles=(14.6, 15.4))
    reconcile(here, at(9))
    found = explain(here, at(9))
    assert found.moved and found.findings()[0].outcome is Outcome.WARNED
    assert f"{found.moved[0].name} {found.moved[0].judged:.0%} to" in found.findings()[0].summary
    (row,) = Ledger(here.workspace.ledger, LEDGER).rows()
    assert row["alarm"] is True and row["summary"]


def test_the_worst_errors_are_those_farthest_from_the_truth_and_their_parts_add_up(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(7))
    reconcile(here, at(9))
    errors = explain(here, at(9)).errors
    assert len(errors) == 5 and [each.loss for each in errors] == sorted((each.loss for each in errors), reverse=True)
    for each in errors:
        assert each.said != each.truth
        names = {part.column for part in each.contributions}
        assert names == {"miles", "carrier", "seats"}
        answered = each.base + sum(part.added for part in each.contributions)
        assert (answered > 0.5) is (each.said == "true") and 0 <= answered <= 1
    assert "Wrong: said" in explain(here, at(10)).words()[-1]


def test_judged_shares_are_explained_once(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = here_of(repo)
    play(here, range(7))
    reconcile(here, at(9))
    first = explain(here, at(9))
    from dagster_project.monitoring import explanation

    asked = []
    whole = explanation.attribute
    monkeypatch.setattr(explanation, "attribute", lambda *a, **k: (asked.append(1), whole(*a, **k))[1])
    assert explain(here, at(9)).columns == first.columns and len(asked) == 1, "the window"


def test_what_can_not_be_explained_is_told(repo: Path) -> None:
    here = here_of(repo)
    assert explain(here, at(9)).words() == [
        "2026-01-05 to before 2026-01-12: no answer of this champion has its inputs logged."
    ]
    columns = tuple(
        column.model_copy(update={"classification": "restricted"}) if column.name == "miles" else column
        for column in here.contract.columns
    )
    hidden = replace(here, contract=here.contract.model_copy(update={"columns": columns}))
    found = explain(hidden, at(9))
    assert found.skipped == "miles: hashed in the log, so answers can't be asked for again."
    assert found.findings()[0].outcome is Outcome.NOT_APPLICABLE
    lock = here.lock.model_copy(update={"snapshot": "sha256:" + "0" * 64})  # type: ignore[union-attr]
    play(here, range(7))
    reconcile(here, at(9))
    assert "not kept here" in explain(Watched(here.spec, here.contract, lock, here.workspace), at(9)).skipped
