"""Label noise: flipped labels are found, hard ones are not called wrong."""

from pathlib import Path

import numpy as np
import pytest

from dagster_project.domain.headroom_report import LabelNoise
from dagster_project.domain.headroom_words import next_gain, noise_words
from dagster_project.training.headroom.confident import confident_joint
from dagster_project.training.headroom.noise import UNNAMED, folds_of

from .planted import BOOSTING, FAMILY, asked_of, coin, examined, numbers, sigmoid, table

ALONE = {"rows": [], "sources": False}
WEIGHTS = np.array([1.5, -1.0, 0.5])


def noise_of(
    folder: Path, matrix: np.ndarray, target: np.ndarray, task: str = "binary", **changes: object
) -> LabelNoise:
    found = examined(asked_of(folder, table(matrix, target), task, **ALONE, **changes)).noise
    assert found is not None
    return found


def test_flipped_labels_are_found_and_named(tmp_path: Path) -> None:
    matrix, flips = numbers(6000, 3, 1), np.random.default_rng(9).random(6000) < 0.05
    report = examined(asked_of(tmp_path, table(matrix, (matrix @ WEIGHTS > 0) ^ flips), **ALONE))
    noise = report.noise
    assert noise and noise.share and noise.suspected
    assert noise.share.low < flips[:4200].mean() < noise.share.high
    assert noise.share.low > 0.03 and noise.share.high < 0.07
    assert noise.joint_share and noise.expected_share is not None and noise.expected_share < noise.joint_share / 5
    wrong = {f"r{place:05}" for place in np.flatnonzero(flips)}
    assert len(noise.suspects) == 50
    assert sum(row.id["row"] in wrong for row in noise.suspects) >= 48
    assert all(row.given != row.expected and row.margin < 0 for row in noise.suspects)
    assert "labels" in next_gain(report)


@pytest.mark.parametrize("family", [FAMILY, BOOSTING])
@pytest.mark.parametrize(("sharpness", "shift"), [(1.0, 0.0), (0.6, -1.0), (3.0, 0.0)])
def test_hard_labels_are_not_called_wrong(tmp_path: Path, family: dict, sharpness: float, shift: float) -> None:
    matrix = numbers(6000, 3, 1)
    noise = noise_of(tmp_path, matrix, coin(sigmoid(sharpness * matrix @ WEIGHTS + shift), 3), family=family)
    assert not noise.suspected
    assert noise.share and noise.share.low < 0.03
    assert noise.joint_share and noise.expected_share == pytest.approx(noise.joint_share, abs=0.015)
    assert noise_words(noise)[1].startswith("No label is called wrong")


def test_clean_separable_labels_have_none(tmp_path: Path) -> None:
    matrix = numbers(3000, 3, 1)
    noise = noise_of(tmp_path, matrix, matrix @ WEIGHTS > 0)
    assert not noise.suspected
    assert noise.share and noise.share.high < 0.01
    assert noise.suspects == ()


def test_three_classes(tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    place = generator.integers(0, 3, 3000)
    matrix = np.eye(3)[place] * 6 + generator.standard_normal((3000, 3))
    flips = generator.random(3000) < 0.08
    given = np.array(["a", "b", "c"])[np.where(flips, (place + 1) % 3, place)]
    noise = noise_of(tmp_path, matrix, given, "multiclass")
    assert noise.suspected and noise.share
    assert noise.share.low < flips[:2100].mean() < noise.share.high
    assert list(noise.thresholds) == ["a", "b", "c"]


def test_a_value_far_off_is_listed_first(tmp_path: Path) -> None:
    matrix = numbers(1000, 2, 1)
    target = 2 * matrix[:, 0] + np.random.default_rng(1).standard_normal(1000)
    target[[17, 400]] += 30, -40
    family = {"family": "ridge", "search": {"alpha": 1.0}}
    noise = noise_of(tmp_path, matrix, target, "regression", family=family)
    assert noise.kind == "residuals" and noise.share is None
    assert [row.id["row"] for row in noise.suspects[:2]] == ["r00400", "r00017"]
    assert noise.suspects[0].margin < -20 < 15 < noise.suspects[1].margin


def test_rows_without_a_public_id_are_not_named(tmp_path: Path) -> None:
    matrix, flips = numbers(1000, 3, 1), np.random.default_rng(9).random(1000) < 0.1
    noise = noise_of(tmp_path, matrix, (matrix @ WEIGHTS > 0) ^ flips, identifiers=())
    assert noise.suspects == ()
    assert noise.unlisted == UNNAMED


def test_few_rows_say_nothing(tmp_path: Path) -> None:
    matrix = numbers(200, 2, 1)
    assert noise_of(tmp_path, matrix, matrix[:, 0] > 0).absent == "140 train rows are too few: 200 are needed."


def test_neighbours_in_time_and_rows_of_a_group_stay_together(tmp_path: Path) -> None:
    matrix = numbers(1000, 2, 1)
    rows = table(matrix, matrix[:, 0] > 0)
    by_time = {"by": "time", "validation": 0.2, "holdout": {"size": 0.2}}
    folds = folds_of(asked_of(tmp_path, rows, split=by_time))
    assert (np.diff(folds) >= 0).all() and len(set(folds)) == 5
    group = {"by": "group", "column": "row", "validation": 0.2, "holdout": {"size": 0.2}}
    (tmp_path / "group").mkdir()
    twice = rows.with_columns(row=rows["row"].str.slice(0, 4))  # ten rows a group
    folds = folds_of(asked_of(tmp_path / "group", twice, split=group))
    names = twice["row"][:700].to_numpy()
    assert all(len(set(folds[names == name])) == 1 for name in np.unique(names))
    assert len(set(folds)) == 5


def test_the_joint_is_confident_learnings() -> None:
    """Counted by hand: a row belongs where it reaches the class's mean self-confidence."""
    scores = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9]])
    given = np.array([0, 0, 0, 1, 1, 1])
    joint = confident_joint(scores, given)
    assert joint.thresholds == pytest.approx([0.6, 2.2 / 3])
    assert joint.counts.tolist() == [[2, 1], [0, 1]]
    assert joint.expected.tolist() == [0, 0, 1, -1, -1, 1]
    assert joint.share == pytest.approx(3 * (1 / 3) / 6)
