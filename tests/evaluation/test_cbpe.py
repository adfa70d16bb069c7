"""Estimated performance against scikit-learn where the labels are known, against what happened, and against NannyML."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as sk

from dagster_project.evaluation.cbpe import ESTIMATED, Calibration, estimate
from tests.environments import environment

NANNYML = ("nannyml==0.13.1", "statsmodels", "setuptools<81")
ORACLE = {
    "roc_auc": lambda hits, scores, said: sk.roc_auc_score(hits, scores),
    "average_precision": lambda hits, scores, said: sk.average_precision_score(hits, scores),
    "accuracy": lambda hits, scores, said: sk.accuracy_score(hits, said),
    "balanced_accuracy": lambda hits, scores, said: sk.balanced_accuracy_score(hits, said),
    "f1": lambda hits, scores, said: sk.f1_score(hits, said),
    "log_loss": lambda hits, scores, said: sk.log_loss(hits, scores),
    "brier": lambda hits, scores, said: sk.brier_score_loss(hits, scores),
}


def world(rows: int, seed: int, centre: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of an overconfident model, and what happened; ``centre`` moves the inputs, not what they mean."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(centre, 1.2, rows)
    hits = generator.random(rows) < 1 / (1 + np.exp(-0.6 * logit))
    return 1 / (1 + np.exp(-logit)), hits


@pytest.mark.parametrize("metric", ESTIMATED)
def test_with_known_labels_an_estimate_is_the_metric_itself(metric: str) -> None:
    scores, hits = world(2000, 1)
    scores = scores.round(2)  # ties
    scores = np.clip(scores, 0.01, 0.99)
    found = estimate(metric, scores, hits.astype(float), scores > 0.5)
    assert found and found.value == pytest.approx(ORACLE[metric](hits, scores, scores > 0.5), abs=1e-9)
    assert found.low == pytest.approx(found.value) == found.high


@pytest.mark.parametrize("metric", ESTIMATED)
def test_other_inputs_of_the_same_meaning_are_estimated_within_the_interval(metric: str) -> None:
    calibration, inside = Calibration(*world(20_000, 2)), 0
    for seed in range(20):
        scores, hits = world(3000, 100 + seed, centre=0.4)
        found = estimate(metric, scores, calibration.chances(scores), scores > 0.5)
        assert found
        inside += found.low <= ORACLE[metric](hits, scores, scores > 0.5) <= found.high
    assert inside >= 15


def test_large_windows_have_narrower_intervals() -> None:
    calibration = Calibration(*world(5000, 3))
    widths = []
    for rows in (2000, 50_000):
        scores, _ = world(rows, 4)
        found = estimate("accuracy", scores, calibration.chances(scores), scores > 0.5)
        assert found and found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 3


def test_what_has_no_estimate_has_none() -> None:
    scores, hits = world(100, 5)
    assert estimate("rmse", scores, hits.astype(float), scores > 0.5) is None
    assert estimate("roc_auc", scores[:0], scores[:0], scores[:0] > 0.5) is None


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_nannyml_estimates_the_same(tmp_path: Path) -> None:
    """In an environment of its own: its versions do not get along with ours."""
    reference, analysis = world(20_000, 6), world(5000, 7, centre=0.3)
    for name, (scores, hits) in (("reference", reference), ("analysis", analysis)):
        pl.DataFrame({"score": scores, "said": (scores > 0.5).astype(int), "hit": hits.astype(int)}).write_csv(
            tmp_path / f"{name}.csv"
        )
    command = [environment("nannyml", *NANNYML), Path(__file__).with_name("nannyml_child.py")]
    command += [tmp_path / "reference.csv", tmp_path / "analysis.csv"]
    quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1", "HOME": str(tmp_path)}
    done = subprocess.run(list(map(str, command)), env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout.splitlines()[-1])
    chances = Calibration(*reference).chances(analysis[0])
    for metric, value in theirs.items():
        ours = estimate(metric, analysis[0], chances, analysis[0] > 0.5)
        assert ours and ours.value == pytest.approx(value, abs=0.005), metric
