"""Every family that reads images or windows: preparation, fit, export, parity, and that it has learnt something."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.domain.families import FAMILIES, Task, families_for
from dagster_project.training.candidate import Candidate
from dagster_project.training.export import export
from dagster_project.training.job import check_export
from dagster_project.training.layout import Part
from dagster_project.training.problem import Problem
from dagster_project.training.rows import Data
from tests.training.conftest import OWN, Make
from tests.training.test_trained_families import train
from tests.training.wide import AHEAD, STEPS, of_pictures, of_windows

PICTURES = sorted(set(families_for("multiclass", ["image", "tabular"])) - {OWN})
FORECASTS = sorted(set(families_for("regression", ["series", "tabular"])) - {OWN})


def held(request_for: Make, task: Task, family: str, **of: Any) -> tuple[Data, Problem, Candidate]:
    data, problem, candidate = train(request_for(task, families=[family], **of))
    parity = check_export(data, candidate, export(candidate))
    assert parity.maximum_difference <= 1e-5 and {"missing", "empty", "single_row"} <= set(parity.planted)
    return data, problem, candidate


@pytest.mark.parametrize("family", PICTURES)
def test_a_family_reads_pictures_beside_numbers(request_for: Make, family: str) -> None:
    _, _, candidate = held(request_for, "multiclass", family, **of_pictures())
    assert candidate.value < 2.2, "log loss: who knows nothing has 2.3"


@pytest.mark.parametrize("family", ["cnn", "logistic_regression"])
def test_colours_are_read(request_for: Make, family: str) -> None:
    data, problem, _ = held(request_for, "multiclass", family, **of_pictures(channels=3))
    prepared = problem.prepared[FAMILIES[family].preparation]
    assert data.train.columns["picture"].shape[1] == prepared.layout.the("image").stop == 192


@pytest.mark.parametrize("family", FORECASTS)
def test_a_family_reads_windows_beside_numbers(request_for: Make, family: str) -> None:
    data, _, candidate = held(request_for, "regression", family, **of_windows())
    mean = float(np.sqrt(np.mean((data.validation.target - data.train.target.mean()) ** 2)))
    assert candidate.value < mean, "the root mean squared error of who says the mean"


def test_a_seasonal_naive_says_what_was_a_season_ago(request_for: Make) -> None:
    data, _, candidate = held(request_for, "regression", "seasonal_naive", **of_windows())
    rows = {name: column[:5] for name, column in data.validation.columns.items()}
    said = candidate.answer(rows).numbers[:, 0]
    assert said.tolist() == rows["past"][:, -1].tolist(), "a day ahead, a day ago is now"


def test_the_layout_knows_where_the_pixels_are(request_for: Make) -> None:
    _, problem, _ = train(request_for("multiclass", families=["cnn"], **of_pictures()))
    layout = problem.prepared["tensors"].layout
    assert layout.the("image") == Part("picture", "image", (8, 8, 1), 0, 64)
    assert [(part.name, part.start, part.stop) for part in layout.parts] == [("picture", 0, 64), ("ink", 64, 65)]
    assert problem.prepared["tensors"].train[:, :64].min() == 0 and problem.prepared["tensors"].train.max() > 0.85


def test_networks_have_the_same_bytes_again(request_for: Make) -> None:
    request = request_for("multiclass", families=["cnn"], **of_pictures())
    first, second = (export(train(request)[2]) for _ in range(2))
    assert first == second


def test_a_picture_of_another_size_is_refused(request_for: Make) -> None:
    from dagster_project.domain.errors import RefusedError
    from dagster_project.training.rows import load_data

    with pytest.raises(RefusedError, match="the column 'picture': row 0: 8 x 8 pixels, not 9 x 8"):
        load_data(request_for("multiclass", families=["cnn"], **{**of_pictures(), "shapes": {"picture": (8, 9, 1)}}))


def test_a_window_of_another_length_is_refused(request_for: Make) -> None:
    from dagster_project.domain.errors import RefusedError
    from dagster_project.training.rows import load_data

    of = of_windows()
    of["table"] = of["table"].with_columns(
        pl.col("past").list.head(pl.when(pl.col("clock") == 5).then(7).otherwise(STEPS))
    )
    with pytest.raises(RefusedError, match="has 7 steps, not 48; the contract's rules keep such rows out"):
        load_data(request_for("regression", families=["ridge"], **of))
    assert AHEAD < STEPS
