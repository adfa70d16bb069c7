"""The learning curve: what twice the rows would give where that is known."""

from pathlib import Path

import numpy as np
import pytest

from dagster_project.domain.headroom_report import LearningCurve
from dagster_project.domain.headroom_words import is_flat, next_gain
from dagster_project.evaluation.measuring import measure
from dagster_project.training.headroom.curve import taken_rows
from dagster_project.training.headroom.power_law import doubled

from .planted import FAMILY, asked_of, coin, examined, numbers, sigmoid, table

BY_TIME = {"by": "time", "validation": 0.2, "holdout": {"size": 0.2}}
ALONE = {"sources": False, "label_noise": False}


def curve_of(folder: Path, matrix: np.ndarray, chance: np.ndarray, **changes: object) -> LearningCurve:
    curve = examined(asked_of(folder, table(matrix, coin(chance, 3)), **ALONE, **changes)).curve
    assert curve is not None
    return curve


def test_more_rows_help_where_many_weak_columns_are_learnt_from_few(tmp_path: Path) -> None:
    matrix, weights = numbers(2000, 40, 1), np.random.default_rng(2).standard_normal(40) * 0.35
    report = examined(asked_of(tmp_path, table(matrix, coin(sigmoid(matrix @ weights), 3)), **ALONE))
    assert report.curve and report.curve.doubled
    assert [point.rows for point in report.curve.points] == [140, 280, 560, 980, 1400]
    assert report.curve.doubled.low > 0
    assert not is_flat(report.curve)
    assert next_gain(report).startswith("The next gain is probably in more rows")


def test_it_is_flat_where_three_columns_were_learnt_long_ago(tmp_path: Path) -> None:
    matrix = numbers(6000, 3, 1)
    curve = curve_of(tmp_path, matrix, sigmoid(matrix @ np.array([1.5, -1.0, 0.5])))
    assert is_flat(curve)
    assert curve.doubled and curve.doubled.high < 0.002


def test_twice_the_rows_gain_what_half_of_them_forecast(tmp_path: Path) -> None:
    matrix, weights = numbers(4000, 40, 5), np.random.default_rng(2).standard_normal(40) * 0.35
    curve = curve_of(tmp_path, matrix, sigmoid(matrix @ weights), rows=[0.05, 0.1, 0.2, 0.35, 0.5])
    points = [(point.rows, point.metric.value) for point in curve.points if point.metric]
    rows, values = zip(*points[:-1], strict=True)
    assert (rows[-1], points[-1][0]) == (1400, 2800)
    found = doubled(rows, np.array(values), np.eye(5) * 1e-10, seed=0)
    assert found.low <= points[-1][1] - values[-1] <= found.high
    assert found.high - found.low < 0.03


@pytest.mark.parametrize("exponent", [0.3, 0.5, 1.0])
def test_a_power_law_without_scatter_is_continued(exponent: float) -> None:
    rows = [100, 200, 400, 700, 1000]
    values = np.array([0.9 - 2.0 * n**-exponent for n in rows])
    found = doubled(rows, values, np.eye(5) * 1e-10, seed=0)
    truth = 2.0 * (1000**-exponent - 2000**-exponent)
    assert found.low <= truth <= found.high
    assert found.value == pytest.approx(truth, rel=0.2)


@pytest.mark.parametrize("rise", [0.0, 2.0])
def test_the_interval_covers_the_truth_where_points_scatter(rise: float) -> None:
    """A flat curve and one that rises with n^-0.6, of which each point is a fit on other rows."""
    generator, rows, scatters = np.random.default_rng(0), np.array([100, 200, 400, 700, 1000]), (0.001, 0.004, 0.015)
    truth, widths, hits = rise * (1000**-0.6 - 2000**-0.6), {}, 0
    for scatter in scatters:
        for seed in range(20):
            noise = generator.standard_normal(5) * scatter * np.sqrt(1000 / rows)
            found = doubled(rows.tolist(), 0.9 - rise * rows**-0.6 + noise, np.eye(5) * 1e-8, seed)
            hits += found.low <= truth <= found.high
            widths.setdefault(scatter, []).append(found.high - found.low)
    assert hits >= 54
    narrow, middle, wide = (np.median(widths[scatter]) for scatter in scatters)
    assert narrow < middle < wide


def test_shares_are_nested_and_by_time_the_most_recent(tmp_path: Path) -> None:
    matrix = numbers(400, 2, 1)
    rows = table(matrix, coin(np.full(400, 0.5), 3))
    by_time = asked_of(tmp_path, rows, split=BY_TIME)
    assert taken_rows(by_time, 50).tolist() == list(range(230, 280))
    (tmp_path / "drawn").mkdir()
    drawn = asked_of(tmp_path / "drawn", rows)
    few, many = taken_rows(drawn, 50), taken_rows(drawn, 100)
    assert set(few) < set(many)
    assert few.max() - few.min() > 200
    assert few.tolist() == sorted(few)


def test_a_class_that_a_share_lacks_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    matrix = numbers(1000, 2, 1)
    target = coin(sigmoid(2 * matrix[:, 0]), 3)
    target[550:700] = False  # the most recent train rows
    curve = examined(asked_of(tmp_path, table(matrix, target), split=BY_TIME, rows=[0.1, 0.4, 0.7], **ALONE)).curve
    assert curve and curve.taken == "most recent"
    assert curve.points[0].absent == "RefusedError: 70 rows have none of class True"
    assert curve.doubled is not None


def test_fewer_than_three_points_are_no_curve(tmp_path: Path) -> None:
    matrix = numbers(300, 2, 1)
    curve = curve_of(tmp_path, matrix, sigmoid(matrix[:, 0]), rows=[0.5], family=FAMILY)
    assert curve.doubled is None
    assert curve.absent == "A curve needs 3 points, all rows among them; there are 2."


def test_regression_is_measured_as_its_metric_runs(tmp_path: Path) -> None:
    """A smaller error is a gain."""
    matrix = numbers(500, 60, 1)
    target = matrix @ np.random.default_rng(2).standard_normal(60) + 3 * np.random.default_rng(4).standard_normal(500)
    family = {"family": "ridge", "search": {"alpha": 1.0}}
    curve = examined(asked_of(tmp_path, table(matrix, target), "regression", family=family, **ALONE)).curve
    assert curve and curve.doubled
    first, last = curve.points[0].metric, curve.points[-1].metric
    assert first and last and last.value < first.value
    assert curve.doubled.low > 0


def test_limits_are_those_that_judge_would_give(tmp_path: Path) -> None:
    """The jackknife's normal limits against 10,000 bootstrap draws, for a metric of errors."""
    matrix, generator = numbers(3000, 2, 1), np.random.default_rng(1)
    asked = asked_of(tmp_path, table(matrix, matrix[:, 0] + generator.standard_normal(3000)), "regression")
    answers = asked.data.validation.target + generator.standard_normal(900)
    (judged,) = measure(asked.answers(answers), asked.labels, "regression", ["rmse"], rows="validation")
    found = asked.measured(answers)
    assert found and judged.low is not None and judged.high is not None
    width = judged.high - judged.low
    assert found.value == pytest.approx(judged.value)
    assert (found.low, found.high) == pytest.approx((judged.low, judged.high), abs=0.06 * width)
