"""Every search has baselines among its trials, whatever its rows are; and says so where nothing beats them."""

import numpy as np
import pytest

from dagster_project.domain.bundle import BASELINE_FAMILY, Input, Trial
from dagster_project.evaluation.baseline import POOLED, PRIOR, SEASONAL
from dagster_project.training.baselines import baseline_trials, unbeaten
from dagster_project.training.progress import describe
from dagster_project.training.rows import Data, Rows

CHANCE = np.random.default_rng(5)
NUMBER, TEXT = Input(name="a", dtype="float32"), Input(name="a", dtype="string", modality="text")
IMAGE = Input(name="a", dtype="float32", modality="image", shape=(8, 8, 1))
WINDOW = Input(name="a", dtype="float32", modality="series", shape=(12,))


def data_of(item: Input, classes: tuple[str, ...]) -> Data:
    def rows(count: int) -> Rows:
        made = CHANCE.normal(size=(count, item.width)).astype(np.float32)
        column = made.astype(str).astype(object) if item.dtype == "string" else made
        return Rows({"a": column}, np.arange(count) % len(classes) if classes else made[:, -1].astype(np.float64))

    return Data(rows(60), rows(30), (item,), classes, horizon=1, season=1)


@pytest.mark.parametrize(
    ("item", "task", "metric", "named"),
    [
        (NUMBER, "binary", "roc_auc", [PRIOR]),
        (NUMBER, "regression", "rmse", [PRIOR]),
        (TEXT, "multiclass", "accuracy", [PRIOR]),
        (IMAGE, "multiclass", "log_loss", [PRIOR, POOLED]),
        (IMAGE, "regression", "mae", [PRIOR, POOLED]),
        (WINDOW, "regression", "rmse", [PRIOR, SEASONAL]),
        (WINDOW, "binary", "brier", [PRIOR]),
    ],
)
def test_every_kind_of_rows_has_baselines_among_its_trials(request_for, item, task, metric, named):
    classes = {"binary": ("n", "y"), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    spec = request_for("regression").spec
    spec = spec.model_copy(update={"task": task, "search": spec.search.model_copy(update={"metric": metric})})
    trials = baseline_trials(spec, data_of(item, classes), 1, 7)
    assert [trial.parameters["answers"] for trial in trials] == named
    assert [trial.number for trial in trials] == list(range(7, 7 + len(named)))
    assert all(trial.is_baseline and trial.value is not None for trial in trials)
    if item is WINDOW and task == "regression":
        assert trials[1].value == 0.0, "the last step of the window is the answer here"
    if metric == "accuracy":
        assert trials[0].value == pytest.approx(1 / 3)


@pytest.mark.filterwarnings("ignore:Only one class")
def test_a_baseline_without_a_value_is_a_failed_trial(request_for):
    spec, whole = request_for("binary").spec, data_of(NUMBER, (False, True))
    alike = Rows(whole.validation.columns, np.zeros(30, np.int64))
    (trial,) = baseline_trials(spec, Data(whole.train, alike, (NUMBER,), (False, True)), 1, 0)
    assert (trial.status, trial.value) == ("failed", None)
    assert describe(trial, "roc_auc") == "baseline: the train labels' mean or shares: failed: roc_auc is nan"


def trial(value: float | None, family: str = "ridge") -> Trial:
    return Trial(number=0, family=family, parameters={}, status="completed", value=value, seconds=0.0)


@pytest.mark.parametrize(
    ("metric", "best", "told", "said"),
    [("r2", 0.5, 0.4, False), ("r2", 0.4, 0.4, True), ("rmse", 0.4, 0.5, False), ("rmse", 0.6, 0.5, True)],
)
def test_it_is_said_where_no_trial_is_better(metric, best, told, said):
    words = unbeaten(trial(best), [trial(told, BASELINE_FAMILY), trial(None, BASELINE_FAMILY)], metric)
    assert (words is not None) is said
    if words:
        assert f"in {metric} no trial is better than the baseline" in words and f"{told}" in words
