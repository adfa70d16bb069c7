"""Who knows no row: what they answer, and that only a model that has learnt something beats them."""

import numpy as np
import pytest

from dagster_project.domain.bundle import Input
from dagster_project.domain.gate_findings import check_gate
from dagster_project.domain.gates import BaselineGate
from dagster_project.domain.verdict import Measurements, Outcome
from dagster_project.evaluation.baseline import FITTED_ROWS, PRIOR, baseline_gain, baselines, pooled, prior, seasonal
from dagster_project.inference.predictor import Answers

GATE = BaselineGate(kind="baseline")
ROWS, COLUMNS = 600, 20


def test_it_answers_what_train_labels_say_on_the_whole() -> None:
    classes = ("a", "b", "c")
    like = Answers(classes=classes, codes=np.zeros(2, int), scores=np.zeros((2, 3)))
    found = prior(like, np.array(["b", "b", "c", "b"], object), 2)
    assert found.scores is not None and found.scores.tolist() == [[0.0, 0.75, 0.25]] * 2
    assert found.labels.tolist() == ["b", "b"]
    numbers = prior(Answers(values=np.zeros(3)), np.array([1.0, 2.0, 6.0]), 3)
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
    told = prior(answers, train, ROWS)
    found = baseline_gain(answers, told, judging, task, PRIOR, seed)  # type: ignore[arg-type]
    return check_gate(GATE, Measurements(values=(found,)), None, False, 0.05).outcome


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_what_learnt_from_shuffled_labels_passes_in_one_of_a_hundred_at_most(task: str) -> None:
    assert sum(judged(task, seed, shuffled=True) is Outcome.PASSED for seed in range(100)) <= 1
    assert all(judged(task, seed, shuffled=False) is Outcome.PASSED for seed in range(5))


def test_a_season_ago_is_counted_from_the_target() -> None:
    windows = np.arange(20.0).reshape(2, 10)
    windows[1, 6] = np.nan
    train = np.array([100.0, 300.0])
    assert seasonal(windows, train, 3, 7).values.tolist() == [5.0, 15.0], "three ahead, seven before: four ago"
    assert seasonal(windows, train, 4, 1).values.tolist() == [9.0, 19.0], "no season: what was last"
    assert seasonal(windows, train, 4, 7).values.tolist() == [6.0, 200.0], "where nothing is known, the mean"


def test_images_have_a_linear_model_of_their_fields() -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    digits = load_digits()
    pixels, labels = digits.data.astype(np.float32), digits.target
    inputs = [Input(name="picture", dtype="float32", modality="image", shape=(8, 8, 1))]
    like = Answers(classes=tuple(range(10)), codes=np.zeros(1, int), scores=np.zeros((1, 10)))
    told = baselines(like, inputs, ({"picture": pixels[:900]}, labels[:900]), {"picture": pixels[900:]})
    assert sorted(told) == ["a linear model of a few grey fields", PRIOR]
    fields = told["a linear model of a few grey fields"]
    assert np.mean(fields.labels == labels[900:]) > 0.85
    chances = LogisticRegression(max_iter=300).fit(pixels[:900], labels[:900]).predict_proba(pixels[900:])
    alike = Answers(classes=like.classes, codes=chances.argmax(axis=1), scores=chances)
    assert check_gate(GATE, measured(alike, told, labels[900:]), None, False, 0.05).outcome is Outcome.FAILED
    sure = Answers(classes=like.classes, codes=labels[900:], scores=np.eye(10)[labels[900:]] * 0.9 + 0.01)
    assert check_gate(GATE, measured(sure, told, labels[900:]), None, False, 0.05).outcome is Outcome.PASSED


def test_where_the_picked_images_are_of_one_class_the_shares_are_what_is_known() -> None:
    labels = np.where(np.arange(2 * FITTED_ROWS) % 2, "a", "b").astype(object)  # every second one is picked
    like = Answers(classes=("a", "b"), codes=np.zeros(1, int), scores=np.zeros((1, 2)))
    told = pooled(like, (1, 1, 1), np.zeros((2 * FITTED_ROWS, 1), np.float32), labels, np.zeros((3, 1), np.float32))
    assert told.scores is not None and told.scores.tolist() == [[0.5, 0.5]] * 3


def measured(answers: Answers, told: dict[str, Answers], labels: np.ndarray) -> Measurements:
    return Measurements(
        values=tuple(baseline_gain(answers, each, labels, "multiclass", name) for name, each in told.items())
    )
