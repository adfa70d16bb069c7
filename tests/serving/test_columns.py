"""Rows in blocks: what a column is, and how requests are joined."""

import numpy as np

from dagster_project.serving.columns import Columns, joined
from tests.serving.v2_requests import GOOD, SIGNATURE, document, read

WIDE = ("FP32", [2, 3], [1, 2, 3, 4, 5, 6])


def columns(*carriers: str) -> Columns:
    return read(document({**GOOD, "carrier": ("BYTES", [2], list(carriers)), "profile": WIDE})).columns


def test_every_input_is_a_column_of_its_width() -> None:
    arrays = columns("AA", "UA").arrays()
    assert arrays.keys() == SIGNATURE.expected.keys()
    assert all(array.shape == (2, SIGNATURE.expected[name].width) for name, array in arrays.items())


def test_joined_rows_are_those_of_each_request_in_turn() -> None:
    parts = [columns("AA", "UA"), columns("UA", "UA"), columns("9É", "AA")]
    whole = joined(parts).arrays()
    assert whole["carrier"].ravel().tolist() == ["AA", "UA", "UA", "UA", "9É", "AA"]
    for name, array in whole.items():
        np.testing.assert_array_equal(array, np.concatenate([part.arrays()[name] for part in parts]))
