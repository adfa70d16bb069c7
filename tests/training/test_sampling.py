"""Rows of a file that is larger than memory: which are taken, and that they are the file's."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.training.sampling import LEAST, MOST, places, sampled_rows, take_places, widest


@given(rows=st.integers(0, 100_000), wanted=st.integers(1, 5_000), seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_places_are_in_the_file_in_order_and_no_more_than_wanted(rows: int, wanted: int, seed: int) -> None:
    found = places(rows, wanted, seed)
    assert len(found) == min(rows, wanted)
    assert not len(found) or (found[0] >= 0 and found[-1] < rows)
    assert (np.diff(found) > 0).all()


def test_places_are_spread_over_the_whole_file_and_the_same_each_time() -> None:
    found = places(1_000_000, 1000, 7)
    assert (np.histogram(found, bins=10, range=(0, 1_000_000))[0] == 100).all()
    assert found.tolist() == places(1_000_000, 1000, 7).tolist()
    assert found.tolist() != places(1_000_000, 1000, 8).tolist()
    assert found[:3].tolist() == [625, 1897, 2775], "another release of numpy draws other rows"


def test_taken_rows_are_those_with_a_label_at_the_places(tmp_path) -> None:
    rows = pl.DataFrame({"value": range(200_000)}).with_columns(
        label=pl.when(pl.col("value") % 3 > 0).then(pl.col("value") * 10)
    )
    rows.write_parquet(tmp_path / "rows.parquet", row_group_size=10_000)
    labelled = pl.scan_parquet(tmp_path / "rows.parquet").filter(pl.col("label").is_not_null())
    chosen = places(133_333, 5_000, 1)
    assert take_places(labelled, chosen).equals(rows.drop_nulls("label")[chosen])


@pytest.mark.parametrize(("memory", "expected"), [(0, LEAST), (10**12, MOST)])
def test_a_sample_is_neither_too_small_to_learn_from_nor_without_bound(memory: int, expected: int) -> None:
    assert sampled_rows(memory, 10, 2) == expected


def test_a_sample_takes_a_quarter_of_the_memory_at_most() -> None:
    rows = sampled_rows(400 * 10**6, 10, 2)
    assert LEAST < rows < MOST
    assert rows * (12 * 100 + widest(10, 2) * 4) <= 100 * 10**6
