"""Rows of a split on their way into training, and what nothing can be learnt from."""

import numpy as np
import polars as pl
import pytest

from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.training.problem import positive_index
from dagster_project.training.rows import load_data


def test_numbers_text_and_booleans(request_for):
    data = load_data(request_for("binary"))
    kinds = {item.name: item.dtype for item in data.inputs}
    assert (kinds["kind"], kinds["flag"], kinds["nothing"]) == ("string", "float32", "float32")
    assert set(np.unique(data.train.columns["kind"].ravel().astype(str))) == {"", "b", "größer"}
    assert set(np.unique(data.train.columns["flag"])) == {0.0, 1.0}
    assert np.isnan(data.train.columns["nothing"]).all()
    assert all(column.shape == (len(data.train), 1) for column in data.train.columns.values())


def test_rows_without_a_label_are_left_out(request_for, tables):
    table = tables["binary"].with_columns(
        target=pl.when(pl.int_range(pl.len()) % 2 == 0).then(None).otherwise(pl.col("target"))
    )
    assert len(load_data(request_for("binary", table=table)).train) == 199


@pytest.mark.parametrize(
    ("target", "classes"),
    [(pl.col("target"), (False, True)), (pl.col("target").cast(pl.Int8) + 3, (3, 4))],
)
def test_classes_are_sorted(request_for, tables, target, classes):
    data = load_data(request_for("binary", table=tables["binary"].with_columns(target=target)))
    assert data.classes == classes
    assert data.train.labels(data.classes).tolist() == [classes[index] for index in data.train.target]


def test_the_positive_class_is_the_specs_or_the_last(request_for):
    request = request_for("binary")
    data = load_data(request)
    assert positive_index(request.spec, data) == 1
    assert positive_index(request.spec.model_copy(update={"positive": False}), data) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": pl.lit(True)}, "all training rows have target = True"),
        ({"target": pl.lit(None, dtype=pl.Boolean)}, "no train row has a label"),
        ({"target": pl.lit(0.5)}, "a class is a boolean, an integer or text"),
        ({"mean area": pl.lit(1e300)}, "mean area.* infinite in float32"),
        ({"when": pl.lit(0).cast(pl.Datetime)}, "when"),
        (
            {"target": pl.when(pl.int_range(pl.len()) > 500).then(2).otherwise(pl.col("target").cast(int))},
            "no training row",
        ),
    ],
)
def test_what_can_not_be_learnt_from_is_refused(request_for, tables, change, message):
    table = tables["binary"].with_columns(**change)
    with pytest.raises(RefusedError, match=message):
        load_data(request_for("binary", table=table))


def test_a_missing_part_is_the_machinerys(request_for, tmp_path):
    request = request_for("binary")
    (tmp_path / "train.parquet").unlink()
    with pytest.raises(MachineryError, match=r"the train rows can't be read"):
        load_data(request)


def test_a_truncated_part_is_the_machinerys(request_for, tmp_path):
    request = request_for("binary")
    part = tmp_path / "train.parquet"
    part.write_bytes(part.read_bytes()[:500])
    with pytest.raises(MachineryError, match=r"the train rows can't be read"):
        load_data(request)


def test_an_infinite_target_is_refused(request_for, tables):
    table = tables["regression"].with_columns(target=pl.lit(float("inf")))
    with pytest.raises(RefusedError, match="infinite"):
        load_data(request_for("regression", table=table))
