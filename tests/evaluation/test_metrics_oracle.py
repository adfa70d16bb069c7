"""Every metric against scikit-learn, and every interval against theory or simulation."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from dagster_project.domain.metrics import METRICS, metrics_for
from dagster_project.evaluation.auc import placements
from dagster_project.evaluation.bootstrap import bca_limit, jeffreys, replicates
from dagster_project.evaluation.measuring import measure, point
from dagster_project.evaluation.metrics import statistic
from dagster_project.evaluation.statistic import Means
from dagster_project.inference.predictor import Answers


def binary(rows: int = 400, seed: int = 0, digits: int = 7) -> tuple[Answers, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.random(rows) < 0.3
    chance = 1 / (1 + np.exp(-(labels * 1.5 - 1 + generator.normal(0, 1, rows))))
    chance = np.round(chance, digits).astype(np.float32).astype(float)
    answers = Answers((False, True), (chance > 0.5).astype(int), np.column_stack([1 - chance, chance]))
    return answers, labels


def multiclass(rows: int = 500, seed: int = 0) -> tuple[Answers, np.ndarray]:
    generator = np.random.default_rng(seed)
    codes = generator.choice(3, rows, p=[0.6, 0.3, 0.1])
    logits = np.eye(3)[codes] + generator.normal(0, 1, (rows, 3))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = np.array(["early", "late", "never"])
    return Answers(tuple(classes.tolist()), scores.argmax(axis=1), scores), classes[codes]


def regression(rows: int = 300, seed: int = 0) -> tuple[Answers, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.gamma(2, 10, rows)
    return Answers(values=labels + generator.normal(0, 5, rows)), labels


ORACLES: dict[str, Any] = {
    "roc_auc": lambda a, y: sk.roc_auc_score(y, a.scores[:, 1]),
    "average_precision": lambda a, y: sk.average_precision_score(y, a.scores[:, 1]),
    "f1": lambda a, y: sk.f1_score(y, a.labels),
    "accuracy": lambda a, y: sk.accuracy_score(y, a.labels),
    "balanced_accuracy": lambda a, y: sk.balanced_accuracy_score(y, a.labels),
    "log_loss": lambda a, y: sk.log_loss(y, a.scores, labels=list(a.classes)),
    "brier": lambda a, y: sk.brier_score_loss(
        y, a.scores if len(a.classes) > 2 else a.scores[:, 1], labels=list(a.classes)
    ),
    "rmse": lambda a, y: sk.root_mean_squared_error(y, a.values),
    "mae": lambda a, y: sk.mean_absolute_error(y, a.values),
    "r2": lambda a, y: sk.r2_score(y, a.values),
}
CASES = {"binary": binary, "multiclass": multiclass, "regression": regression}


def test_every_metric_of_the_catalogue_has_an_oracle() -> None:
    assert set(ORACLES) == set(METRICS)


@pytest.mark.parametrize("task", list(CASES))
def test_metrics_are_scikit_learns(task: Any) -> None:
    for seed in range(5):
        answers, labels = CASES[task](seed=seed)
        for metric in metrics_for(task):
            assert point(metric, answers, labels) == pytest.approx(ORACLES[metric](answers, labels), abs=1e-9), metric


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 60), st.integers(1, 3))
def test_ties_and_small_samples_are_scikit_learns(seed: int, rows: int, digits: int) -> None:
    answers, labels = binary(rows, seed, digits)
    if len(set(labels.tolist())) < 2:
        return
    for metric in ("roc_auc", "average_precision", "f1", "balanced_accuracy"):
        assert point(metric, answers, labels) == pytest.approx(ORACLES[metric](answers, labels), abs=1e-9), metric


def test_the_positive_class_can_be_the_first() -> None:
    answers, labels = binary()
    expected = sk.average_precision_score(~labels, answers.scores[:, 0])
    assert point("average_precision", answers, labels, positive=False) == pytest.approx(expected)
    assert point("f1", answers, labels, positive=False) == pytest.approx(sk.f1_score(~labels, ~answers.labels))


def test_a_label_that_the_model_does_not_know_counts_as_wrong() -> None:
    answers, labels = multiclass()
    strange = np.where(np.arange(len(labels)) < 10, "diverted", labels)
    right = (answers.labels == strange).mean()
    assert point("accuracy", answers, strange) == pytest.approx(right)
    assert point("log_loss", answers, strange) > point("log_loss", answers, labels)
    recalls = [(answers.labels[strange == name] == name).mean() for name in np.unique(strange)]
    assert point("balanced_accuracy", answers, strange) == pytest.approx(np.mean(recalls))


def test_one_class_has_no_ranks() -> None:
    answers, labels = binary()
    found = measure(answers, np.zeros_like(labels), "binary", metrics_for("binary"), rows="validation")
    assert {m.metric for m in found} == set(metrics_for("binary")) - {"roc_auc", "average_precision"}


@pytest.mark.parametrize("task", list(CASES))
def test_weights_are_repetitions(task: Any) -> None:
    """A resample's value is the metric of the repeated rows."""
    answers, labels = CASES[task](rows=80)
    picked = np.random.default_rng(1).integers(0, 80, 80)
    parts = {n: getattr(answers, n)[picked] for n in ("codes", "scores", "values") if getattr(answers, n) is not None}
    repeated = Answers(answers.classes, **parts)
    for metric in set(metrics_for(task)) - {"roc_auc"}:
        whole = statistic(metric, answers, labels)
        got = whole.at(whole.codes, np.bincount(picked, minlength=80)[None].astype(float))[0]
        assert got == pytest.approx(point(metric, repeated, labels[picked]), abs=1e-9), metric


@pytest.mark.parametrize("task", list(CASES))
def test_influence_is_what_leaving_a_row_out_does(task: Any) -> None:
    answers, labels = CASES[task](rows=2000)
    for metric in set(metrics_for(task)) - {"roc_auc"}:
        whole = statistic(metric, answers, labels)
        values = whole.influence()
        for row in (0, 17, 1999):
            weights = np.ones((1, 2000))
            weights[0, row] = 0.0
            left_out = whole.value() - whole.at(whole.codes, weights)[0]
            assert values[row] / 2000 == pytest.approx(left_out, rel=0.02, abs=2e-7), metric


def test_delong_is_the_definition() -> None:
    """Against the sums over all pairs of the paper (equations 4 to 6)."""
    answers, labels = binary(150, 3, digits=1)
    second, _ = binary(150, 4, digits=1)
    scores = np.stack([answers.scores[:, 1], second.scores[:, 1]])
    won = scores[:, labels][:, :, None] - scores[:, ~labels][:, None, :]
    psi = (won > 0) + 0.5 * (won == 0)
    expected = np.cov(psi.mean(axis=2)) / labels.sum() + np.cov(psi.mean(axis=1)) / (~labels).sum()
    found = placements(scores, labels)
    np.testing.assert_allclose(found.areas, psi.mean(axis=(1, 2)))
    np.testing.assert_allclose(found.covariance(), expected)


def test_counting_kinds_is_drawing_rows() -> None:
    """The multinomial of kinds and the draw of single rows are one distribution (Kolmogorov-Smirnov)."""
    answers, labels = binary(2000)
    counted = statistic("f1", answers, labels)
    assert isinstance(counted, Means)
    single = Means(counted.cells[counted.codes], np.arange(2000), counted.reduce)
    one, two = (
        replicates([which], lambda value: value, 4000, np.random.default_rng(seed))
        for seed, which in enumerate((counted, single))
    )
    assert stats.ks_2samp(one, two).pvalue > 0.001
    assert one.std() == pytest.approx(two.std(), rel=0.05)


def test_bca_is_scipys() -> None:
    values = np.random.default_rng(2).lognormal(0, 1, 400)
    mean = Means(values[:, None], np.arange(400), lambda means: means[..., 0])
    drawn = replicates([mean], lambda value: value, 20_000, np.random.default_rng(0))
    ours = [bca_limit(drawn, mean.value(), mean.influence(), level) for level in (0.025, 0.975)]
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, rng=np.random.default_rng(1)).confidence_interval
    assert ours == pytest.approx([theirs.low, theirs.high], rel=0.01)


def test_jeffreys_is_the_beta_posterior_of_accuracy() -> None:
    answers, labels = binary(300)
    counted = statistic("accuracy", answers, labels)
    assert isinstance(counted, Means)
    drawn = jeffreys(counted, 40_000, np.random.default_rng(0))
    right = int((answers.labels == labels).sum())
    expected = stats.beta(right + 0.5, 300 - right + 0.5).ppf([0.025, 0.975])
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "f1", "roc_auc"])
def test_no_error_seen_is_no_certainty(metric: str) -> None:
    labels = np.arange(40) % 2 == 0
    answers = Answers((False, True), labels.astype(int), np.column_stack([~labels, labels]).astype(float))
    [found] = measure(answers, labels, "binary", [metric], rows="validation")
    assert found.value == found.high == 1.0
    assert 0.8 < found.low < 0.98


@pytest.mark.parametrize(
    "metric",
    [
        "accuracy",
        "f1",
        "roc_auc",
        pytest.param("average_precision", marks=pytest.mark.slow),
        pytest.param("log_loss", marks=pytest.mark.slow),
    ],
)
def test_intervals_hold_what_they_promise(metric: str) -> None:
    """95 % intervals hold the value on very many rows in about 95 % of 200 samples."""
    answers, labels = binary(400_000, 99)
    truth = point(metric, answers, labels)
    held = 0
    for seed in range(200):
        [found] = measure(*binary(300, seed), "binary", [metric], rows="validation", seed=seed)
        held += found.low <= truth <= found.high
    assert held >= 180


def test_the_same_seed_gives_the_same_interval() -> None:
    answers, labels = binary()
    one, two = (measure(answers, labels, "binary", metrics_for("binary"), rows="validation", seed=3) for _ in "ab")
    assert one == two
