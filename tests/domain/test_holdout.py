"""The holdout's budget over a growing ledger."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.holdout import (
    LEVEL,
    HoldoutRequest,
    JudgementRow,
    Permission,
    ask,
    bound_confidence,
    confirm,
    fresh_rows,
    holdout_digest,
    judged_holdouts,
    pack_rows,
    unpack_rows,
)


def request(onnx: int | str, holdout: str = "h0", fresh: int | None = 0, **more: Any) -> HoldoutRequest:
    fields = {"model": "delays", "rows": 10_000, "judgements": 20, "renewal": 5000}
    return HoldoutRequest(**{**fields, "onnx": f"onnx{onnx}", "holdout": holdout, "fresh": fresh, **more})


def judged(ledger: list[JudgementRow], asked: HoldoutRequest) -> Permission:
    """Ask, and write down what judge would."""
    answer = ask(asked, ledger)
    if answer.spends:
        ledger.append(answer.row(asked.model, asked.onnx, None, None, None, "2026-01-01T00:00:00Z"))
    return answer


def test_the_level_is_shared_equally_and_ends() -> None:
    ledger: list[JudgementRow] = []
    for number in range(20):
        answer = judged(ledger, request(number))
        assert (answer.granted, answer.use.counted, answer.use.used) == (True, True, number + 1)
        assert answer.use.significance == pytest.approx(0.0025)
    spent = judged(ledger, request(20, fresh=100))
    assert (spent.granted, spent.spends, spent.use.counted, spent.use.used) == (False, False, False, 20)
    assert "4900 more newly labelled rows" in spent.reason
    assert len(ledger) == 20


def test_of_two_machines_that_reach_for_the_last_judgement_none_takes_it() -> None:
    ledger: list[JudgementRow] = []
    for number in range(19):
        judged(ledger, request(number))
    asked = [request("left"), request("right")]
    answers = [ask(each, ledger) for each in asked]  # neither sees the other
    assert all(answer.granted and answer.spends for answer in answers)
    for each, answer in zip(asked, answers, strict=True):
        ledger.append(answer.row(each.model, each.onnx, None, None, None, "2026-01-01T00:00:00Z"))
    confirmed = [confirm(answer, each, ledger) for answer, each in zip(answers, asked, strict=True)]
    assert not any(answer.granted for answer in confirmed)
    alone = ledger[:-1]
    assert confirm(answers[0], asked[0], alone).granted


def test_the_same_bytes_are_judged_again_for_nothing() -> None:
    ledger: list[JudgementRow] = []
    for number in range(20):
        judged(ledger, request(number))
    for number in (0, 19):
        answer = judged(ledger, request(number))
        assert (answer.granted, answer.spends, answer.use.counted, answer.use.used) == (True, False, False, 20)
    assert len(ledger) == 20


def test_the_same_bytes_on_grown_rows_count_again() -> None:
    ledger: list[JudgementRow] = []
    judged(ledger, request(0))
    answer = judged(ledger, request(0, "h1", fresh=4999))
    assert (answer.spends, answer.budget, answer.use.used) == (True, "h0", 2)


def test_enough_new_rows_renew_a_spent_holdout() -> None:
    ledger: list[JudgementRow] = []
    for number in range(20):
        judged(ledger, request(number))
    assert not ask(request(20, "h1", fresh=4999), ledger).granted
    answer = judged(ledger, request(20, "h1", fresh=5000))
    assert (answer.granted, answer.budget, answer.use.used) == (True, "h1", 1)
    assert judged(ledger, request(21, "h2", fresh=10)).use.used == 2


def test_the_old_holdout_stays_spent_after_a_renewal() -> None:
    ledger: list[JudgementRow] = []
    for number in range(20):
        judged(ledger, request(number))
    judged(ledger, request(20, "h1", fresh=5000))
    back = judged(ledger, request(21, "h0", fresh=0))
    assert (back.budget, back.use.used) == ("h1", 2)  # counted with the newest budget, never a fresh one


def test_another_model_has_its_own_budget() -> None:
    ledger: list[JudgementRow] = []
    for number in range(20):
        judged(ledger, request(number))
    assert judged(ledger, request(0, model="cancellations")).use.used == 1


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=60))
def test_no_change_of_the_declared_judgements_spends_more_than_the_level(declared: list[int]) -> None:
    ledger: list[JudgementRow] = []
    for number, judgements in enumerate(declared):
        judged(ledger, request(number, judgements=judgements))
    assert sum(row.significance for row in ledger) <= LEVEL * (1 + 1e-9)


def test_what_was_written_before_a_kill_is_spent_and_asked_again_for_nothing() -> None:
    ledger: list[JudgementRow] = []
    judged(ledger, request(0))  # killed before the rows were read
    again = ask(request(0), ledger)
    assert (again.granted, again.spends, again.use.used) == (True, False, 1)


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_rows_are_packed_and_unpacked(hashes: list[int]) -> None:
    packed = pack_rows(hashes)
    assert list(unpack_rows(packed)) == sorted(set(hashes))
    assert holdout_digest(packed) == holdout_digest(pack_rows(reversed(hashes)))


def test_rows_are_fresh_when_no_judged_holdout_held_them() -> None:
    known = {"h0": pack_rows(range(0, 100)), "h1": pack_rows(range(50, 150))}
    assert fresh_rows(range(100, 250), known) == 100
    assert fresh_rows(range(0, 100), known) == 0
    assert fresh_rows(range(10), {}) is None


def test_judged_holdouts_are_named_once_in_order() -> None:
    ledger: list[JudgementRow] = []
    for number, holdout in enumerate(("h0", "h0", "h1")):
        judged(ledger, request(number, holdout))
    judged(ledger, request(9, "h9", model="cancellations"))
    assert judged_holdouts("delays", ledger) == ("h0", "h1")


def test_a_bounds_interval_widens_with_the_budget() -> None:
    assert bound_confidence(0.95, LEVEL) == pytest.approx(0.95)
    assert bound_confidence(0.95, LEVEL / 20) == pytest.approx(0.9975)
