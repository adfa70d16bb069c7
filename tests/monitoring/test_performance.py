"""Metrics of matured windows alone, with intervals, by digest and slice; estimates where labels are missing."""

from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project.domain.verdict import Outcome
from dagster_project.monitoring.performance import LEDGER, measure
from dagster_project.monitoring.reconcile import reconcile
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.ledger import Ledger
from tests.monitoring.deployed import FIRST, at, play, said, watching
from tests.monitoring.logged import tell


def here_of(repo: Path, **performance: object) -> Watched:
    return watching(repo, performance={"window": "P7D", "minimum_rows": 100, **performance})


def test_matured_windows_are_measured_and_younger_ones_estimated(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(16))
    reconcile(here, at(16))
    found = measure(here, at(16))
    assert [(each.begin - FIRST).days for each in found.windows] == [0, 7, 14]
    assert [each.matured for each in found.windows] == [True, True, False]
    first, second, young = found.windows
    for window in (first, second):
        auc = window.metric("roc_auc")
        assert auc and auc.value and auc.low and auc.high and auc.low < auc.value < auc.high
        assert auc.estimate == pytest.approx(auc.value, abs=0.03) and window.labelled == 700
    expected = young.metric("roc_auc")
    assert expected and expected.value is None and expected.estimate and expected.estimate > 0.8
    assert found.newest == second
    text = " ".join(found.words())
    assert "700 of 700 answers labelled" in text and "is expected to have roc_auc" in text


def test_few_labels_say_nothing(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(7), told=0.1)
    reconcile(here, at(9))
    found = measure(here, at(9))
    assert found.windows[0].matured and found.newest is not None, "700 answers have an estimate"
    assert found.windows[0].metric("roc_auc") and found.windows[0].metrics[0].value is None
    assert found.findings()[0].outcome is Outcome.NOT_APPLICABLE


def test_unlabelled_rows_of_a_matured_window_have_an_estimate_of_their_own(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(7), told=0.5)
    reconcile(here, at(9))
    auc = measure(here, at(9)).windows[0].metric("roc_auc")
    assert auc and auc.value and auc.unlabelled == pytest.approx(auc.value, abs=0.05)


def test_later_labels_restate_a_window_and_what_it_was_is_told_once(repo: Path) -> None:
    here = here_of(repo)
    truth = play(here, range(7))
    reconcile(here, at(9))
    before = measure(here, at(9)).windows[0]
    assert measure(here, at(10)).windows[0] == before, "nothing came, so nothing is measured again"
    tell(here, *(said(here, number, not truth[number], at(9)) for number in range(0, 200, 2)))
    reconcile(here, at(11))
    found = measure(here, at(11))
    auc, was = found.windows[0].metric("roc_auc"), before.metric("roc_auc")
    assert auc and was and auc.before == was.value and auc.value and was.value and auc.value < was.value - 0.02
    assert f"roc_auc {auc.value:.4f}; {was.value:.4f} before later labels came." in " ".join(found.words())
    assert "before later labels" not in " ".join(measure(here, at(12)).words())
    past = measure(here, at(10, hour=20)).windows[0].metric("roc_auc")
    assert past and past.value == was.value, "as of a day before, later labels are not known"


def test_a_crossed_bound_alarms_only_with_its_whole_interval(repo: Path) -> None:
    bounds = [{"metric": "roc_auc", "minimum": 0.8}]
    here = here_of(repo, bounds=bounds)
    play(here, range(7))
    play(here, range(7, 14), flip=0.35)
    reconcile(here, at(8))
    good = measure(here, at(8))
    assert good.findings()[0].outcome is Outcome.PASSED
    reconcile(here, at(16))
    bad = measure(here, at(16))
    finding = bad.findings()[0]
    assert finding.outcome is Outcome.FAILED and "at least 0.8 is asked" in finding.summary
    mild = measure(here_of(repo, bounds=bounds, severity="warning"), at(17))
    assert mild.findings()[0].outcome is Outcome.WARNED
    rows = Ledger(here.workspace.ledger, LEDGER).rows()
    assert [row["alarm"] for row in rows] == [False, True, True] and "roc_auc" in rows[1]["summary"]


def test_another_meaning_of_the_inputs_shows_as_a_gap_to_the_estimate(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(14), flip=0.35)
    reconcile(here, at(16))
    found = measure(here, at(16))
    gap = found.windows[0].metric("roc_auc")
    assert gap and gap.gap is not None and gap.gap < -0.1
    assert found.findings()[-1].outcome is Outcome.WARNED and "apart" in found.findings()[-1].summary


def test_each_digest_has_windows_of_its_own_and_only_the_champion_alarms(repo: Path) -> None:
    here = here_of(repo, bounds=[{"metric": "roc_auc", "minimum": 0.8}])
    play(here, range(7))
    play(here, range(7), flip=0.45, first=50_000, onnx="sha256:former")
    reconcile(here, at(9))
    found = measure(here, at(9))
    assert len(found.windows) == 2 and {each.begin for each in found.windows} == {FIRST}
    former = next(each for each in found.windows if each.onnx == "sha256:former")
    assert former.metrics[0].value is not None and former.metrics[0].estimate is None
    assert found.findings()[0].outcome is Outcome.PASSED


def test_slices_and_whose_labels_they_are_stand_apart(repo: Path) -> None:
    here = here_of(repo, slices=["seats"])
    play(here, range(7), told=0.6)
    people = {"kind": "human", "source": "review", "who": "ann"}
    truth = play(here, range(7), told=0.0, first=50_000, seed=3)
    tell(here, *(said(here, n, truth[n], at(8), audit=n % 2 == 0, **people) for n in list(truth)[:400]))
    reconcile(here, at(9))
    found = measure(here, at(9))
    assert {part.name for part in found.slices} >= {"seats=1", "seats=2"}, "a slice of one class has no area"
    assert [part.name for part in found.origins] == [
        "what happened",
        "people, drawn at random",
        "people, least certain",
    ]
    assert all(part.rows > 100 for part in found.origins)


def test_no_answers_no_windows(repo: Path) -> None:
    found = measure(here_of(repo), at(9))
    assert found.windows == () and found.words() == ["No window of this champion has enough labels yet."]


def test_where_the_snapshot_is_gone_nothing_is_estimated_from_what_it_is_held_against(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(14), flip=0.35)
    reconcile(here, at(16))
    lock = here.lock.model_copy(update={"snapshot": "sha256:" + "0" * 64})  # type: ignore[union-attr]
    found = measure(Watched(here.spec, here.contract, lock, here.workspace), at(16))
    auc = found.windows[0].metric("roc_auc")
    assert auc and auc.value and auc.estimate is None
    assert found.findings()[-1].outcome is Outcome.NOT_APPLICABLE


def test_answers_beside_the_champion_are_not_its_own(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(7))
    alone = measure_at_once(here)
    play(here, range(7), flip=0.45, first=50_000, place="shadow")
    assert measure_at_once(here) == alone


def measure_at_once(here: Watched) -> object:
    reconcile(here, at(9))
    return measure(here, at(9)).windows[0]


def test_the_same_look_gives_the_same_numbers_and_the_past_knows_no_later_labels(repo: Path) -> None:
    here = here_of(repo, slices=["seats"])
    truth = play(here, range(7))
    reconcile(here, at(9))
    first, again = measure(here, at(9)), measure(here, at(9))
    assert first.windows == again.windows and first.slices == again.slices
    tell(here, *(said(here, number, not truth[number], at(10)) for number in range(300)))
    reconcile(here, at(12))
    assert measure(here, at(9)).slices == first.slices != measure(here, at(12)).slices
    tell(here, *(said(here, number, not truth[number], at(11), source="again") for number in range(300)))
    reconcile(here, at(13))
    auc = measure(here, at(13)).windows[0].metric("roc_auc")
    assert auc and auc.restated == at(12), "what is said again restates nothing and forgets nothing"


def test_windows_never_move(repo: Path) -> None:
    here = here_of(repo)
    play(here, range(3, 10))
    reconcile(here, at(30))
    for day in (30, 31, 40):
        begins = {each.begin for each in measure(here, at(day)).windows}
        assert begins == {FIRST, FIRST + timedelta(days=7)}
