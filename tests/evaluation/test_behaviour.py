"""Tests of behaviour and of robustness: what is changed, and what share of the rows holds."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from dagster_project.domain.behaviour import DISTURBS, Behaviour
from dagster_project.domain.bundle import Input
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.gate_findings import check_gate
from dagster_project.domain.gates import BehaviourGate, RobustnessGate
from dagster_project.domain.strictness import implies
from dagster_project.domain.verdict import Measurements, Outcome
from dagster_project.evaluation.behaviour import measure_behaviour
from dagster_project.evaluation.robustness import disturbed, measure_robustness
from dagster_project.inference.predictor import Answers
from tests.modalities.notes import CONTRACT, SQL
from tests.trees import SPEC, edited, problems, tree

ROWS = 200
COLUMNS = {
    "miles": np.arange(ROWS, dtype=np.float32).reshape(-1, 1),
    "carrier": np.array([["A"], ["B"]] * (ROWS // 2), object),
    "note": np.array([["it came late"], [""]] * (ROWS // 2), object),
}


def late(columns: Any) -> Answers:
    """Late by its miles, more so for carrier B; a note that says sorry makes it sure."""
    chance = columns["miles"][:, 0] / 400 + 0.2 * (columns["carrier"][:, 0] == "B")
    chance = np.where([("sorry" in text) for text in columns["note"][:, 0]], 1.0, np.nan_to_num(chance))
    scores = np.stack([1 - chance, chance], axis=1)
    return Answers(classes=(False, True), codes=(chance > 0.5).astype(int), scores=scores)


def share(**test: Any) -> float:
    return measure_behaviour(Behaviour(name="t", **test), late, COLUMNS).value


def test_what_is_changed_answers_alike_or_more_or_less() -> None:
    assert share(change={"add": {"miles": 8.0}}, expect="more") == 1.0
    assert share(change={"add": {"miles": -8.0}}, expect="less") == 1.0
    assert share(change={"add": {"miles": 8.0}}, expect="same") == 0.0
    assert share(change={"add": {"miles": 8.0}}, expect="same", tolerance=0.03) == 1.0
    assert share(change={"set": {"carrier": "B"}}, expect="same") == 0.5
    assert share(change={"append": {"note": ", sorry"}}, expect="same", tolerance=0.0) == 0.5, "nothing stays nothing"
    assert share(change={"set": {"carrier": "B"}}, expect="less", of=False) == 1.0
    with pytest.raises(RefusedError, match="the class maybe, and the model answers False, True"):
        share(change={"set": {"carrier": "B"}}, expect="less", of="maybe")


def test_given_rows_have_their_answer() -> None:
    rows = [{"miles": 399.0, "carrier": "A"}, {"note": "sorry"}, {"carrier": "B"}]
    assert share(rows=rows, answers=[True, True, False]) == 1.0
    assert share(rows=rows, answers=[True, False, False]) == pytest.approx(2 / 3)

    def values(columns: Any) -> Answers:
        return Answers(values=np.nan_to_num(columns["miles"][:, 0].astype(float)))

    test = Behaviour(name="t", rows=({"miles": 3.0}, {"miles": 5.0}), answers=(3.1, 9.0), tolerance=0.2)
    assert measure_behaviour(test, values, COLUMNS).value == 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"change": {"set": {"a": 1}}},
        {"rows": [{"a": 1}]},
        {"rows": [{"a": 1}], "answers": [1, 2]},
        {"change": {"set": {"a": 1}}, "expect": "same", "rows": [{"a": 1}], "answers": [1]},
    ],
)
def test_a_test_is_of_one_kind(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="write change and expect, or rows and as many answers"):
        Behaviour(name="t", **wrong)


INPUTS = (
    Input(name="picture", dtype="float32", modality="image", shape=(4, 5, 1)),
    Input(name="note", dtype="string", modality="text"),
    Input(name="past", dtype="float32", modality="series", shape=(40,)),
)
KINDS = {
    "picture": np.random.default_rng(0).integers(0, 256, (50, 20)).astype(np.float32),
    "note": np.array([["a text of some length, with words"]] * 50, object),
    "past": np.random.default_rng(1).normal(size=(50, 40)).astype(np.float32),
}


@pytest.mark.parametrize("change", DISTURBS)
def test_only_what_is_of_the_kind_is_disturbed_a_little_and_alike_each_time(change: Any) -> None:
    found, again = (disturbed(KINDS, change, INPUTS, seed=3) for _ in range(2))
    for entry in INPUTS:
        before, after = KINDS[entry.name], found[entry.name]
        assert after.shape == before.shape and after.dtype == before.dtype
        same = (after == before) | ((after != after) & (before != before))
        assert same.all() != (entry.modality == DISTURBS[change])
        assert np.array_equal(after, again[entry.name], equal_nan=entry.dtype == "float32")
    if change == "noise":
        assert found["picture"].min() >= 0 and found["picture"].max() <= 255
    if change == "missing_steps":
        assert 0.02 < np.isnan(found["past"]).mean() < 0.09


def test_a_model_that_hangs_on_single_pixels_is_found() -> None:
    labels = KINDS["picture"][:, 7] > 128

    def brittle(columns: Any) -> Answers:
        seen = columns["picture"][:, 7] > 128
        return Answers(classes=(False, True), codes=seen.astype(int), scores=np.eye(2)[seen.astype(int)])

    found = measure_robustness("accuracy", ["shift", "noise"], brittle, KINDS, labels, INPUTS)
    drops = {each.against: each.value for each in found}
    assert drops["shift"] > 0.2 > drops["noise"] >= 0.0
    gate = RobustnessGate(kind="robustness", metric="accuracy", changes=("shift", "noise"), maximum_drop=0.1)
    told = check_gate(gate, Measurements(values=tuple(found)), None, False, 0.05)
    assert told.outcome is Outcome.FAILED and "shift: accuracy 1 as they are" in told.summary
    alone = gate.model_copy(update={"changes": ("noise",)})
    assert check_gate(alone, Measurements(values=tuple(found)), None, False, 0.05).outcome is Outcome.PASSED
    assert check_gate(gate, Measurements(), None, False, 0.05).outcome is Outcome.BROKEN
    assert implies(gate, alone) and not implies(alone, gate)


def test_each_test_holds_for_its_share() -> None:
    test = Behaviour(name="carriers", change={"set": {"carrier": "B"}}, expect="same", share=0.4)
    gate = BehaviourGate(kind="behaviour", tests=(test,))
    found = Measurements(values=(measure_behaviour(test, late, COLUMNS),))
    assert check_gate(gate, found, None, False, 0.05).outcome is Outcome.PASSED
    more = BehaviourGate(kind="behaviour", tests=(test.model_copy(update={"share": 0.6}),))
    told = check_gate(more, found, None, False, 0.05)
    assert told.outcome is Outcome.FAILED and "'carriers' holds for 50.0% of the rows, not 60.0%" in told.summary
    assert check_gate(gate, Measurements(), None, False, 0.05).outcome is Outcome.BROKEN
    assert not implies(more, gate) and implies(gate, gate)


GATE = "gates:\n  - kind: behaviour\n    tests:\n      - {name: t, change: {add: {miles: 5}}, expect: more}\n"


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("change: {add: {mils: 5}}", "trips has no column mils"),
        ("change: {add: {carrier: 5}}", "add is for columns of numbers, which carrier is not"),
        ("change: {append: {miles: x}}", "append is for columns of text, which miles is not"),
        ("change: {set: {note: x}}", "'t' changes note, which the model does not read"),
        ("change: {}", "nothing is changed"),
    ],
)
def test_what_can_not_be_run_is_refused_at_once(new: str, words: str) -> None:
    text = edited(SPEC, ("gates:\n", edited(GATE, ("change: {add: {miles: 5}}", new))))
    found = problems(tree(spec=text, trips=CONTRACT, sql=SQL))
    assert [problem for problem in found if words in problem.message and problem.line]


def test_disturbances_need_something_to_disturb() -> None:
    gate = "gates:\n  - {kind: robustness, metric: roc_auc, changes: [typos, shift], maximum_drop: 0.1}\n"
    (problem,) = problems(tree(spec=edited(SPEC, ("gates:\n", gate)), trips=CONTRACT, sql=SQL))
    assert "shift is done to image, and no column of trips is" in problem.message
    assert problem.hint == "There is: typos, capitals."
    assert not problems(tree(spec=edited(SPEC, ("gates:\n", GATE)), trips=CONTRACT, sql=SQL))
