"""Values in a few words."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from dagster_project.data.images import encode
from dagster_project.data.told import told
from dagster_project.domain.contract import Column, ImageForm, LogicalType, SeriesForm

NUMBER = Column(name="n", logical_type=LogicalType.NUMBER)
IMAGE = Column(
    name="i", logical_type=LogicalType.STRING, modality="image", image=ImageForm(width=6, height=4, channels=1)
)
SERIES = Column(
    name="s",
    logical_type=LogicalType.ARRAY,
    modality="series",
    series=SeriesForm(steps=3, frequency=timedelta(hours=1)),
)
FILE = encode(np.zeros((4, 6), np.uint8))


@pytest.mark.parametrize(
    ("value", "column", "words"),
    [
        (None, NUMBER, "missing"),
        ("", NUMBER, "missing"),
        (0.1234567891, NUMBER, "0.123457"),
        (7, NUMBER, "7"),
        (True, NUMBER, "True"),
        (FILE, IMAGE, f"PNG 6 x 4 L, {len(FILE)} bytes"),
        ([0.0] * 24, IMAGE, "6 x 4 pixels"),
        (None, IMAGE, "missing"),
        ([3.0, 1.0, 2.5], SERIES, "3 steps, 1 to 3, the last 2.5"),
        ([None, 1.0, 2.0], SERIES, "3 steps, 1 to 2, the last 2, 1 missing"),
        ([None, None, None], SERIES, "3 steps, all missing"),
    ],
)
def test_a_value_is_told(value: Any, column: Column, words: str) -> None:
    assert told(value, column) == words
