"""Challenger against champion: power where there is a gain, and none where there is not."""

import numpy as np
import pytest
from scipy import stats

from dagster_project.domain.metrics import METRICS, metrics_for
from dagster_project.evaluation.comparison import compare
from dagster_project.evaluation.measuring import point
from dagster_project.inference.predictor import Answers


def answers_to(labels: np.ndarray, noise: np.ndarray) -> Answers:
    chance = 1 / (1 + np.exp(-(labels * 2.0 - 1 + noise)))
    return Answers((False, True), (chance > 0.5).astype(int), np.column_stack([1 - chance, chance]))


def pair(rows: int, gain: float, seed: int = 0) -> tuple[Answers, Answers, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.random(rows) < 0.4
    noise, own, other = generator.normal(0, 1, (3, rows))
    return answers_to(labels, (noise + own * 0.3) * (1 - gain)), answers_to(labels, noise + other * 0.3), labels


@pytest.mark.parametrize("metric", metrics_for("binary"))
def test_a_gain_is_positive_whichever_way_the_metric_runs(metric: str) -> None:
    better, worse, labels = pair(2000, 0.5)
    up = compare(metric, better, worse, labels, rows="validation", significance=0.05)
    down = compare(metric, worse, better, labels, rows="validation", significance=0.05)
    sign = 1 if METRICS[metric].greater_is_better else -1
    assert up.gain == pytest.approx(sign * (point(metric, better, labels) - point(metric, worse, labels)))
    assert up.low > 0 > down.low
    assert down.gain == pytest.approx(-up.gain)
    assert up.method == ("delong" if metric == "roc_auc" else "paired_bootstrap")


@pytest.mark.parametrize("metric", metrics_for("binary"))
def test_the_same_answers_gain_nothing(metric: str) -> None:
    one, _, labels = pair(500, 0.0)
    found = compare(metric, one, one, labels, rows="validation", significance=0.05)
    assert (found.gain, found.standard_error, found.low) == (0.0, 0.0, 0.0)


def test_standard_errors_are_the_textbooks() -> None:
    one, other, labels = pair(5000, 0.1)
    difference = (one.labels == labels).astype(float) - (other.labels == labels)
    found = compare("accuracy", one, other, labels, rows="validation", significance=0.0025)
    assert found.standard_error == pytest.approx(difference.std() / np.sqrt(5000), rel=0.03)
    assert found.low == pytest.approx(found.gain + stats.norm.ppf(0.0025) * found.standard_error, rel=0.15)


def test_regression_compares() -> None:
    generator = np.random.default_rng(0)
    labels = generator.gamma(2, 10, 800)
    good = Answers(values=labels + generator.normal(0, 3, 800))
    bad = Answers(values=labels + generator.normal(0, 6, 800))
    for metric in metrics_for("regression"):
        assert compare(metric, good, bad, labels, rows="validation", significance=0.0025).low > 0


def few_differences(won: int, lost: int, rows: int = 1000) -> tuple[Answers, Answers, np.ndarray]:
    labels = np.zeros(rows, dtype=bool)
    champion = np.r_[np.ones(won), np.zeros(rows - won)].astype(int)
    challenger = np.r_[np.zeros(won), np.ones(lost), np.zeros(rows - won - lost)].astype(int)
    scores = np.full((rows, 2), 0.5)
    return Answers((False, True), challenger, scores), Answers((False, True), champion, scores), labels


@pytest.mark.parametrize("level", [0.05, 0.0025])
def test_a_handful_of_rows_is_never_surer_than_the_sign_test(level: float) -> None:
    for differing in range(1, 40):
        for lost in range(differing // 2 + 1):
            found = compare("accuracy", *few_differences(differing - lost, lost), rows="holdout", significance=level)
            if found.low > 0:
                exact = stats.binomtest(lost, differing, 0.5, alternative="less").pvalue
                assert exact <= level * 1.2, (differing, lost)


def test_a_gain_that_hangs_on_one_row_is_none() -> None:
    generator = np.random.default_rng(0)
    labels = generator.normal(0, 1, 500)
    champion = labels.copy()
    champion[0] += 1000
    found = compare(
        "mae", Answers(values=labels + 0.0), Answers(values=champion), labels, rows="holdout", significance=0.05
    )
    assert found.gain == pytest.approx(2.0)
    assert found.low < 0


@pytest.mark.parametrize("metric", ["accuracy", "f1", "roc_auc", pytest.param("brier", marks=pytest.mark.slow)])
def test_equals_are_rarely_told_apart(metric: str) -> None:
    """At level 0.05 an equal is called better in about one of twenty samples of 400 rows."""
    called = sum(
        compare(metric, *pair(400, 0.0, seed), rows="validation", significance=0.05, seed=seed).low > 0
        for seed in range(200)
    )
    assert 1 <= called <= 18
