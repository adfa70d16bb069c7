"""Labels come late, out of order, twice, corrected, before their answer or never; the tables are the same."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.monitoring import Monitoring
from dagster_project.domain.verdict import Outcome
from dagster_project.monitoring.reconcile import LEDGER, reconcile
from dagster_project.monitoring.tables import answered_with_truth, answers, outcomes, truth
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.ledger import Ledger
from tests.monitoring.logged import label, log, logged, tell
from tests.monitoring.reviewed import NOW, row_id, watched


def sent_only(folder: Path, **labels: object) -> Watched:
    """A model whose labels are sent, and that a contract's dataset has none of."""
    here = watched(folder)
    asked = Monitoring.model_validate({"labels": {"contract": False, "maturity": "P1D", **labels}})
    return replace(here, spec=here.spec.model_copy(update={"monitoring": asked}))


def said(here: Watched) -> dict[int, str]:
    """The truth by number of the row."""
    rows = truth(here).select("row_id", "label").collect().iter_rows()
    return {int(row.rsplit("-", 1)[1], 16): text for row, text in rows}


def events(here: Watched) -> list[tuple[str, str]]:
    """Every outcome, without when it was written down."""
    return sorted(outcomes(here).select("row_id", "event").collect().iter_rows())


def test_answers_come_once_with_their_score_and_the_day_of_their_event(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    log(here, logged(1, chance=0.9), logged(2, day=1.5, chance=0.2), logged(3, model="other"))
    assert reconcile(here, NOW).answers == 2
    log(here, logged(4, day=2))
    assert reconcile(here, NOW).answers == 1 and reconcile(here, NOW).answers == 0
    rows = {row["row_id"]: row for row in answers(here).collect().iter_rows(named=True)}
    assert len(rows) == 3 and rows[row_id(1)]["score"] == pytest.approx(0.9)
    assert rows[row_id(2)]["score"] == pytest.approx(0.2) and f"{rows[row_id(2)]['day']}" == "2026-03-02"


def test_a_time_that_is_none_counts_as_that_of_the_answer(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    log(here, logged(1, time=NOW.replace(year=9999)), logged(2, time=None))
    reconcile(here, NOW)
    assert answers(here).collect()["day"].to_list() == [NOW.date()] * 2
    tell(here, label(1))
    assert reconcile(here, NOW).joined == 1


def test_by_row_by_id_and_every_time_that_an_id_was_asked_about(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    log(here, logged(1), logged(2), logged(3, id="ride 2", day=5))
    tell(here, label(1), label(2, "false", by_id=True))
    found = reconcile(here, NOW)
    assert (found.labels, found.joined, found.waiting) == (2, 3, 0)
    assert said(here) == {1: "true", 2: "false", 3: "false"}


def test_the_same_again_is_nothing_new_and_a_correction_is_kept_beside_what_it_corrects(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    log(here, logged(1), logged(2), logged(3))
    tell(here, label(1), label(2), label(3))
    assert reconcile(here, NOW).joined == 3
    tell(here, label(1), label(2, "true", hours=30), label(3, "false", hours=30))
    found = reconcile(here, NOW)
    assert (found.labels, found.joined, found.duplicates, found.corrected, found.conflicts) == (3, 2, 1, 1, 0)
    assert said(here) == {1: "true", 2: "true", 3: "false"}
    assert outcomes(here).collect().height == 5


def test_what_was_known_last_is_true_whenever_it_arrives(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    log(here, logged(1))
    tell(here, label(1, "false", hours=72))
    reconcile(here, NOW)
    tell(here, label(1, "true", hours=24))
    reconcile(here, NOW + timedelta(hours=1))
    assert said(here) == {1: "false"}
    assert truth(here, as_of=NOW - timedelta(hours=1)).collect().height == 0


def test_a_label_before_its_answer_waits_for_it_and_one_of_nothing_is_told(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    tell(here, label(1), label(7))
    assert reconcile(here, NOW).waiting == 2
    log(here, logged(1))
    found = reconcile(here, NOW)
    assert (found.joined, found.waiting) == (1, 1) and "1 labels are of no answer" in " ".join(found.words())
    assert reconcile(here, NOW).waiting == 1 and said(here) == {1: "true"}


def test_beyond_the_horizon_nothing_is_labelled(tmp_path: Path) -> None:
    here = sent_only(tmp_path, horizon="P10D")
    log(here, logged(1, day=0), logged(2, day=25))
    tell(here, label(1), label(2))
    reconcile(here, NOW)
    assert said(here) == {2: "true"}


def test_different_things_at_one_time_are_a_conflict(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    log(here, logged(1), logged(2))
    tell(here, label(1), label(1, "false", source="contract"), label(2))
    found = reconcile(here, NOW)
    assert found.conflicts == 1 and found.conflicting[0].said == ("client: true", "contract: false")
    (finding,) = [each for each in found.findings() if each.name == "label_conflicts"]
    assert finding.outcome is Outcome.WARNED and row_id(1) in finding.summary


def test_people_count_where_nothing_happened_by_most_of_them_and_natural_goes_before(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    log(here, *(logged(number) for number in range(1, 5)))
    people = {"kind": "human", "source": "review"}
    tell(
        here,
        *(label(1, text, who=who, **people) for who, text in (("a", "true"), ("b", "true"), ("c", "false"))),
        *(label(2, text, who=who, **people) for who, text in (("a", "true"), ("b", "false"))),
        label(3, "true", who="a", **people),
        label(3, "false"),
        label(4, "true", who="a", **people),
        label(4, "false", who="a", hours=30, **people),
    )
    found = reconcile(here, NOW)
    assert said(here) == {1: "true", 3: "false", 4: "false"}
    assert sum(day.human for day in found.days) == 2 and sum(day.natural for day in found.days) == 1


def test_coverage_delays_and_selection_are_of_matured_days(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    old = [logged(number, day=20, chance=number / 200) for number in range(100)]
    log(here, *old, *(logged(1000 + number, day=29.9) for number in range(5)))
    tell(here, *(label(number, hours=20 * 24 + 2 + number / 10) for number in range(50)))
    found = reconcile(here, NOW)
    assert found.matured == (100, 50) and [day.matured for day in found.days] == [True, False]
    assert found.delay_p50 == pytest.approx(4.5, abs=0.1) and found.delay_p95 == pytest.approx(6.7, abs=0.1)
    assert [decile.unlabelled for decile in found.deciles] == [0.0] * 5 + [1.0] * 5
    findings = {each.name: each for each in found.findings()}
    assert findings["label_selection"].outcome is Outcome.WARNED
    assert findings["label_coverage"].summary == "50 of 100 matured answers have a label."
    (row,) = Ledger(here.workspace.ledger, LEDGER).rows()
    assert row["alarm"] is True and row["model"] == "late" and "label" in row["summary"]


def test_nothing_answered_is_said(tmp_path: Path) -> None:
    found = reconcile(sent_only(tmp_path), NOW)
    assert found.words() == ["0 answers and 0 labels came in; 0 outcomes are new."]
    assert {each.outcome for each in found.findings()} == {Outcome.NOT_APPLICABLE, Outcome.PASSED}


def test_logs_that_were_cleaned_away_are_made_up_for(tmp_path: Path) -> None:
    """Delta's log of old versions goes after a month; what was not taken by then is found by what is missing."""
    here = sent_only(tmp_path)
    log(here, logged(1))
    tell(here, label(1))
    reconcile(here, NOW)
    for number in range(2, 130):
        log(here, logged(number))
        tell(here, label(number))
    for name in ("prediction_log", "labels"):
        for commit in sorted((Path(here.workspace.warehouse) / name / "_delta_log").glob("*.json"))[:90]:
            commit.unlink()
    found = reconcile(here, NOW)
    assert (found.answers, found.joined) == (128, 128) and len(said(here)) == 129
    again = reconcile(here, NOW)
    assert (again.answers, again.joined) == (0, 0)


ARRIVING = [
    label(1, hours=10), label(1, "false", hours=20), label(1, hours=30), label(2, by_id=True), label(3, "false"),
    label(3, "false", hours=40), label(4, kind="human", source="review", who="a"), label(9),
]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(len(ARRIVING))), st.lists(st.integers(0, 7), max_size=6), st.integers(1, 4), st.data())
def test_whatever_the_order_the_tables_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], again: list[int], size: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    here, queue = sent_only(folder), [ARRIVING[place] for place in [*order, *again]]
    answered = data.draw(st.permutations([1, 2, 3, 4]))
    for first in range(0, len(queue), size):
        tell(here, *queue[first : first + size])
        if answered and data.draw(st.booleans()):
            log(here, logged(answered.pop()))
        if data.draw(st.booleans()):
            reconcile(here, NOW)
    for number in answered:
        log(here, logged(number))
    found = reconcile(here, NOW)
    wanted = [(row_id(number), each["event"]) for number in (1, 2, 3, 4) for each in ARRIVING if _is_of(each, number)]
    assert events(here) == sorted(wanted)
    assert said(here) == {1: "true", 2: "true", 3: "false", 4: "true"} and found.waiting == 1
    shutil.rmtree(folder)


def _is_of(each: dict[str, object], number: int) -> bool:
    return each["row_id"] == row_id(number) or each["id"] == f"ride {number}"


def test_the_truth_stands_beside_its_answer(tmp_path: Path) -> None:
    here = sent_only(tmp_path)
    log(here, logged(1), logged(2))
    tell(here, label(1))
    reconcile(here, NOW)
    rows = answered_with_truth(here).sort("row_id").select("truth", "kind", "label").collect()
    assert rows.rows() == [("true", "natural", "false"), (None, None, "false")]
    assert rows.schema["truth"] == pl.String
