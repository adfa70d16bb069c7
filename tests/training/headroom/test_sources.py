"""Leaving out each source: one that is needed, one that is not."""

from pathlib import Path

import numpy as np
import pytest

from dagster_project.domain.headroom_report import SourceLosses
from dagster_project.training.headroom.examine import jobs_of
from dagster_project.training.headroom.sources import NOTHING_ELSE, UNKNOWN

from .planted import BOOSTING, asked_of, coin, examined, numbers, sigmoid, table

ALONE = {"rows": [], "label_noise": False}


def losses_of(folder: Path, sources: dict[str, tuple[str, ...]], **changes: object) -> SourceLosses:
    matrix = numbers(3000, 3, 1)
    rows = table(matrix, coin(sigmoid(3 * matrix[:, 0]), 3))
    found = examined(asked_of(folder, rows, sources_by_name=sources, **{**ALONE, **changes})).sources
    assert found is not None
    return found


@pytest.mark.parametrize("changes", [{}, {"family": BOOSTING}])
def test_what_is_needed_is_lost_and_what_is_useless_is_not(tmp_path: Path, changes: dict[str, object]) -> None:
    found = losses_of(tmp_path, {"useless": ("x1", "x2"), "needed": ("x0",)}, **changes)
    needed, useless = found.sources
    assert (needed.name, useless.name) == ("needed", "useless")
    assert needed.loss and useless.loss
    assert needed.loss.low > 0.3
    assert useless.loss.low < 0.005 and useless.loss.high < 0.02
    assert found.untold == ()


def test_where_every_feature_comes_from_a_source_it_can_not_be_left_out(tmp_path: Path) -> None:
    found = losses_of(tmp_path, {"all": ("x0", "x1", "x2"), "some": ("x1",), "unread": ("other",)})
    assert {source.name: source.absent for source in found.sources} == {"some": "", "all": NOTHING_ELSE}


def test_columns_whose_source_nothing_tells_are_named(tmp_path: Path) -> None:
    assert losses_of(tmp_path, {"some": ("x1",)}).untold == ("x0", "x2")


def test_without_sources_it_says_what_to_declare(tmp_path: Path) -> None:
    assert losses_of(tmp_path, {}).absent == UNKNOWN


def test_what_a_metric_of_labels_loses(tmp_path: Path) -> None:
    """Every metric has its own paired interval: regression's error here, smaller being better."""
    matrix = numbers(800, 2, 1)
    target = 2 * matrix[:, 0] + np.random.default_rng(1).standard_normal(800)
    family = {"family": "ridge", "search": {"alpha": 1.0}}
    sources = {"needed": ("x0",), "useless": ("x1",)}
    asked = asked_of(tmp_path, table(matrix, target), "regression", family=family, sources_by_name=sources, **ALONE)
    assert [job.name for job in jobs_of(asked)] == ["all rows", "without needed", "without useless"]
    found = examined(asked).sources
    assert found is not None
    needed, useless = (source.loss for source in found.sources)
    assert needed and useless
    assert needed.low > 0.8
    assert abs(useless.value) < 0.05
