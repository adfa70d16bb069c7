"""Preparation: float32 throughout, bounded width, nothing learnt from rows that judge."""

from typing import get_args

import numpy as np
import pytest

from dagster_project.domain.bundle import Input
from dagster_project.domain.families import Preparation
from dagster_project.domain.spec import Features
from dagster_project.training.preparation import MAX_CATEGORIES, column_transforms, make_preparation, raw_columns
from dagster_project.training.rows import frame_of

INPUTS = (Input(name="a", dtype="float32"), Input(name="b", dtype="float32"), Input(name="t", dtype="string"))


def columns(rows: int = 40) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "a": generator.normal(size=(rows, 1)).astype(np.float32),
        "b": np.full((rows, 1), np.nan, np.float32),
        "t": generator.choice(["x", "y", ""], size=(rows, 1)).astype(object),
    }


def prepare(kind: Preparation, **transforms: str):
    frame = frame_of(columns(), INPUTS)
    features = Features(include=("a", "b", "t"), transforms=transforms)
    return make_preparation(features, INPUTS, frame, kind).fit(frame)


@pytest.mark.parametrize("kind", get_args(Preparation))
def test_it_is_float32_and_finite(kind):
    matrix = prepare(kind).transform(frame_of(columns(), INPUTS))
    assert matrix.dtype == np.float32 and np.isfinite(matrix).all()
    assert matrix.shape == (40, 5)


def test_trees_get_numbers_as_they_are():
    matrix = prepare(kind="unscaled").transform(frame_of(columns(), INPUTS))
    assert (matrix[:, 0] == columns()["a"][:, 0]).all()


def test_linear_families_get_them_scaled():
    matrix = prepare(kind="scaled").transform(frame_of(columns(), INPUTS))
    assert abs(matrix[:, 0].mean()) < 1e-6 and matrix[:, 0].std() == pytest.approx(1.0, abs=1e-5)


def test_the_spec_chooses_transforms():
    features = Features(include=("a", "b", "t"), transforms={"a": "robust", "b": "none", "t": "ordinal"})
    assert column_transforms(features, INPUTS, kind="scaled") == {"robust": [0], "none": [1], "ordinal": [2]}
    assert column_transforms(features, INPUTS, kind="unscaled") == {"none": [0, 1], "ordinal": [2]}


def test_each_prepared_column_knows_its_origin():
    assert raw_columns(prepare(kind="unscaled"), INPUTS) == ["a", "b", "t", "t", "t"]


def test_an_unseen_value_is_no_category():
    rows = {**columns(1), "t": np.array([["new"]], dtype=object)}
    assert prepare(kind="unscaled").transform(frame_of(rows, INPUTS))[0, 2:].tolist() == [0.0, 0.0, 0.0]


def test_a_wide_column_keeps_its_most_frequent_values():
    words = [f"w{i:04d}" for i in range(1000)] + ["w0999"] * 3
    rows = {
        "a": np.zeros((len(words), 1), np.float32),
        "b": np.zeros((len(words), 1), np.float32),
        "t": np.array(words, dtype=object)[:, None],
    }
    frame = frame_of(rows, INPUTS)
    made = make_preparation(Features(include=("a", "b", "t")), INPUTS, frame, kind="unscaled").fit(frame)
    assert made.transform(frame).shape[1] == 2 + MAX_CATEGORIES
    assert made.transform(frame)[-1, 2:].sum() == 1.0
