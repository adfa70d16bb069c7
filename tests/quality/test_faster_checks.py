"""The faster checks against the library's own, value for value."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeRegressor

from dagster_project.quality.absolute_tree import AbsoluteTrees, Limits, Path, deviations
from dagster_project.quality.answers import Predictions, repeater
from dagster_project.quality.faster import faster_checks
from dagster_project.quality.library import load, quiet
from dagster_project.quality.segments import _paths


def table(rows: int, seed: int, first: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "few": random.integers(0, 4, rows),
            "fewer": random.choice(["a", "b", None], rows),
            "holes": np.where(random.random(rows) < 0.3, np.nan, random.integers(0, 2, rows)),
            "label": random.integers(0, 2, rows),
        }
    )
    frame.index = pd.RangeIndex(first, first + rows)
    return frame


def sets(train: pd.DataFrame, test: pd.DataFrame) -> tuple[Any, Any]:
    make = load().Dataset
    return tuple(make(f, label="label", cat_features=["fewer"], label_type="binary") for f in (train, test))  # type: ignore[return-value]


@pytest.mark.parametrize("rows", [12, 60, 400])
def test_samples_mix_is_the_librarys(rows: int) -> None:
    train, test = sets(table(rows, 1), table(rows // 2, 2, first=rows))
    with quiet():
        theirs = load().checks.TrainTestSamplesMix().run(train, test)
        ours = faster_checks()["TrainTestSamplesMix"]().run(train, test)
    assert ours.value["ratio"] == theirs.value["ratio"]
    assert len(ours.value["data"]) == len(theirs.value["data"])


@pytest.mark.parametrize("rows", [12, 60, 400])
def test_conflicting_labels_are_the_librarys(rows: int) -> None:
    train, _ = sets(table(rows, 3), table(10, 4, first=rows))
    with quiet():
        theirs = load().checks.ConflictingLabels().run(train)
        ours = faster_checks()["ConflictingLabels"]().run(train)
    share = "percent_of_conflicting_samples"
    assert ours.value[share] == pytest.approx(theirs.value[share], rel=1e-12)
    found = [sorted(tuple(sorted(group)) for group in result.value["samples_indices"]) for result in (ours, theirs)]
    assert found[0] == found[1]


def test_no_row_in_common_and_no_conflict() -> None:
    frame = pd.DataFrame({"few": range(20), "fewer": ["a", "b"] * 10, "holes": 1.0, "label": [0, 1] * 10})
    train, test = sets(frame, frame.assign(few=frame["few"] + 100))
    assert faster_checks()["TrainTestSamplesMix"]().run(train, test).value["ratio"] == 0.0
    assert faster_checks()["ConflictingLabels"]().run(train).value["percent_of_conflicting_samples"] == 0.0


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_weak_segments_are_the_librarys(task: str) -> None:
    random = np.random.default_rng(5)
    rows = 600
    frame = pd.DataFrame({name: random.normal(size=rows) for name in "abc"})
    frame["kind"] = random.choice(["x", "y", "z"], rows)
    frame.loc[random.random(rows) < 0.1, "b"] = np.nan
    truth = frame["a"] + random.normal(size=rows) * (1 + 2 * (frame["c"] > 0.5))
    frame["label"] = (truth > 0).astype(int) if task == "binary" else truth
    high = 1 / (1 + np.exp(-2 * frame["a"].to_numpy()))
    answers = (
        Predictions((high > 0.5).astype(int), np.column_stack([1 - high, high]), (0, 1))
        if task == "binary"
        else Predictions(frame["a"].to_numpy())
    )
    dataset = load().Dataset(frame, label="label", cat_features=["kind"], label_type=task)
    with quiet():
        results = [
            check(random_state=42).run(dataset, repeater(answers, answers), with_display=False)
            for check in (load().checks.WeakSegmentsPerformance, faster_checks()["WeakSegmentsPerformance"])
        ]
    theirs, ours = (result.value["weak_segments_list"] for result in results)
    assert len(ours) == len(theirs) > 0
    # Lower segments may differ where two splits are exactly equal; the weakest is what the condition looks at.
    pd.testing.assert_series_equal(ours.iloc[0], theirs.iloc[0])
    assert results[0].value["avg_score"] == results[1].value["avg_score"]


def test_deviations_are_those_of_the_medians() -> None:
    random = np.random.default_rng(6)
    for size in (2, 3, 10, 257):
        target = np.round(random.normal(size=size), 1)
        cuts = np.arange(1, size)
        left, right = deviations(target, cuts)
        for cut in cuts:
            for part, found in ((target[:cut], left[cut - 1]), (target[cut:], right[cut - 1])):
                assert found == pytest.approx(np.abs(part - np.median(part)).sum(), abs=1e-9)


def test_trees_leave_as_little_as_scikit_learns() -> None:
    """Path for path where no two splits are exactly equal, which continuous targets make rare."""
    random = np.random.default_rng(7)
    same = 0
    for trial in range(12):
        rows = int(random.integers(40, 800))
        columns = np.column_stack([random.integers(0, 30, rows), random.normal(size=rows)]).astype(np.float32)
        target = random.exponential(size=rows) * (1 + 2 * (columns[:, 0] > 9)) * (1 + (columns[:, 1] > 0.3))
        tree = DecisionTreeRegressor(
            criterion="absolute_error", max_depth=5, min_samples_leaf=5, min_weight_fraction_leaf=0.05,
            min_impurity_decrease=0.003, random_state=trial,
        ).fit(columns, target)  # fmt: skip
        theirs = _paths(tree.tree_)
        limits = Limits(5, 5, 0.05 * rows, 0.003)
        ours = AbsoluteTrees({"a": columns[:, 0], "b": columns[:, 1]}, target).leaves(
            ("a", "b"), np.arange(rows), limits
        )
        same += ours == theirs
        if len(theirs) > 1:
            assert left_over(ours[:1], columns, target) == pytest.approx(left_over(theirs[:1], columns, target))
    assert same >= 10


def left_over(paths: list[Path], columns: Any, target: Any) -> float:
    """What the first step of the first path leaves."""
    place, threshold, _ = paths[0][0]
    below = columns[:, place] <= threshold
    return sum(float(np.abs(part - np.median(part)).sum()) for part in (target[below], target[~below]))
