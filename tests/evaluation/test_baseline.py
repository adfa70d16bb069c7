"""Who knows no row: what they answer, and that only a model that has learnt something beats them."""

import numpy as np
import pytest

from dagster_project.domain.gate_findings import check_gate
from dagster_project.domain.gates import BaselineGate
from dagster_project.domain.verdict import Measurements, Outcome
from dagster_project.evaluation.baseline import baseline_answers, baseline_gain
from dagster_project.inference.predictor import Answers

GATE = BaselineGate(kind="baseline")
ROWS, COLUMNS = 600, 20


def test_it_answers_what_train_labels_say_on_the_whole() -> None:
    classes = ("a", "b", "c")
    like = Answers(classes=classes, codes=np.zeros(2, int), scores=np.zeros((2, 3)))
    found = baseline_answers(like, np.array(["b", "b", "c", "b"], object), 2)
    assert found.scores is not None and found.scores.tolist() == [[0.0, 0.75, 0.25]] * 2
    assert found.labels.tolist() == ["b", "b"]
    numbers = baseline_answers(Answers(values=np.zeros(3)), np.array([1.0, 2.0, 6.0]), 3)
    assert numbers.values is not None and numbers.values.tolist() == [3.0, 3.0, 3.0]


def judged(task: str, seed: int, *, shuffled: bool) -> Outcome:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(2 * ROWS, COLUMNS))
    value = rows[:, 0] + chance.normal(size=2 * ROWS)
    labels = value if task == "regression" else value > 1
    labels = chance.permutation(labels) if shuffled else labels
    train, judging = labels[:ROWS], labels[ROWS:]
    if task == "regression":
        answers = Answers(values=LinearRegression().fit(rows[:ROWS], train).predict(rows[ROWS:]))
    else:
        scores = LogisticRegression(C=0.01).fit(rows[:ROWS], train).predict_proba(rows[ROWS:])
        answers = Answers(classes=(False, True), codes=scores.argmax(axis=1), scores=scores)
    found = baseline_gain(answers, judging, train, task, seed)  # type: ignore[arg-type]
    return check_gate(GATE, Measurements(values=(found,)), None, False, 0.05).outcome


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_what_learnt_from_shuffled_labels_passes_in_one_of_a_hundred_at_most(task: str) -> None:
    assert sum(judged(task, seed, shuffled=True) is Outcome.PASSED for seed in range(100)) <= 1
    assert all(judged(task, seed, shuffled=False) is Outcome.PASSED for seed in range(5))
