"""Slices hold for all at once; calibration, curves, latency and size."""

import numpy as np
import pytest

from dagster_project.domain.gate_findings import check_gate
from dagster_project.domain.gates import CalibrationGate, SlicesGate
from dagster_project.domain.verdict import Measurements, Outcome
from dagster_project.evaluation.calibration import calibration_error, reliability, residuals, roc_curves
from dagster_project.evaluation.measuring import measure
from dagster_project.evaluation.slices import measure_slices
from dagster_project.inference.predictor import Answers

GATE = SlicesGate(kind="slices", metric="accuracy", by=("carrier",), maximum_drop=0.02, minimum_rows=100)


def judged(chance_right: np.ndarray, carriers: np.ndarray, seed: int, gate: SlicesGate = GATE) -> Outcome:
    generator = np.random.default_rng(seed)
    labels = generator.random(len(carriers)) < 0.5
    codes = np.where(generator.random(len(carriers)) < chance_right, labels, ~labels).astype(int)
    answers = Answers((False, True), codes, np.column_stack([1 - codes, codes]).astype(float))
    found = measure(answers, labels, "binary", [gate.metric], rows="validation")
    found += measure_slices(gate, answers, labels, {"carrier": carriers}, "binary")
    return check_gate(gate, Measurements(values=tuple(found)), None, False, 0.05).outcome


def test_equal_slices_rarely_fail_and_a_bad_one_does() -> None:
    carriers = np.random.default_rng(0).choice([f"C{i}" for i in range(16)], 8000).astype(object)
    equal = np.full(8000, 0.8)
    failures = sum(judged(equal, carriers, seed) is Outcome.FAILED for seed in range(100))
    assert failures <= 5
    assert judged(np.where(carriers == "C3", 0.6, 0.8), carriers, 0) is Outcome.FAILED


def test_a_small_slice_decides_nothing() -> None:
    carriers = np.array(["big"] * 2000 + ["tiny"] * 50, dtype=object)
    assert judged(np.where(carriers == "tiny", 0.0, 0.8), carriers, 0) is Outcome.PASSED


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (np.array(["a", None, ""], dtype=object), {"c=a", "c=missing"}),
        (np.array([1.0, np.nan, 2.0]), {"c=1", "c=2", "c=missing"}),
        (np.array([True, False, True]), {"c=True", "c=False"}),
        (np.arange(1000.0), {"c=0 to 249", "c=249 to 499", "c=499 to 749", "c=749 to 999"}),
    ],
)
def test_columns_are_cut_by_value_or_into_quarters(values: np.ndarray, names: set[str]) -> None:
    gate = SlicesGate(kind="slices", metric="accuracy", by=("c",), maximum_drop=0.1, minimum_rows=30)
    labels = np.zeros(len(values), dtype=bool)
    answers = Answers((False, True), np.zeros(len(values), int), np.tile([1.0, 0.0], (len(values), 1)))
    found = measure_slices(gate, answers, labels, {"c": values}, "binary")
    assert {m.slice for m in found} == names
    assert sum(m.count for m in found) == len(values)


def calibrated(stretch: float, rows: int = 20_000) -> tuple[Answers, np.ndarray]:
    generator = np.random.default_rng(0)
    chance = generator.beta(2, 3, rows)
    labels = generator.random(rows) < chance
    said = np.clip(0.5 + (chance - 0.5) * stretch, 0, 1)
    return Answers((False, True), (said > 0.5).astype(int), np.column_stack([1 - said, said])), labels


def test_calibration_error_is_what_is_planted() -> None:
    good, labels = calibrated(1.0)
    bins = reliability(good, labels)
    assert len(bins) == 10
    assert {part.count for part in bins} == {2000}
    assert calibration_error(bins).value < 0.015
    bold, labels = calibrated(1.6)
    found = calibration_error(reliability(bold, labels))
    said, chance = bold.scores[:, 1], 0.5 + (bold.scores[:, 1] - 0.5) / 1.6
    assert found.value == pytest.approx(abs(said - chance).mean(), abs=0.02)
    gate = CalibrationGate(kind="calibration", maximum=0.05)
    assert check_gate(gate, Measurements(values=(found,)), None, False, 0.05).outcome is Outcome.FAILED


def test_equal_probabilities_share_a_bin() -> None:
    labels = np.r_[np.zeros(500, bool), np.ones(500, bool)]
    answers = Answers((False, True), np.ones(1000, int), np.full((1000, 2), 0.5))
    [only] = reliability(answers, labels)
    assert (only.predicted, only.observed, only.count) == (0.5, 0.5, 1000)


def test_more_classes_are_calibrated_by_their_most_probable() -> None:
    scores = np.tile([0.7, 0.2, 0.1], (1000, 1))
    labels = np.array(["a"] * 700 + ["b"] * 300)
    found = reliability(Answers(("a", "b", "c"), np.zeros(1000, int), scores), labels)
    assert calibration_error(found).value == pytest.approx(0.0, abs=1e-9)


def test_curves_hold_their_area() -> None:
    answers, labels = calibrated(1.0)
    [curve] = roc_curves(answers, labels, "challenger")
    x, y = np.array(curve.points).T
    [area] = measure(answers, labels, "binary", ["roc_auc"], rows="validation")
    assert np.trapezoid(y, x) == pytest.approx(area.value, abs=0.002)
    assert len(curve.points) <= 100
    assert curve.points[0] == (0.0, 0.0)
    assert curve.points[-1] == (1.0, 1.0)


def test_residuals_lose_no_row() -> None:
    generator = np.random.default_rng(0)
    values = generator.standard_cauchy(1000)
    found = residuals(Answers(values=values), np.zeros(1000))
    assert sum(found.counts) == 1000
    assert len(found.edges) == len(found.counts) + 1
