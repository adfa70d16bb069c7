"""A few hundred rows with every kind of column, and an exact model of them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from dagster_project.domain.contract import Column, Condition, DataContract, LogicalType, Role
from dagster_project.quality.answers import Predictions
from dagster_project.quality.suites import ModelRows

FEATURES = ("size", "speed", "weight", "colour", "heavy")


@pytest.fixture
def contract() -> Callable[..., DataContract]:
    """A contract with the conditions that a test wants."""

    def build(*conditions: Condition, label: LogicalType = LogicalType.BOOLEAN) -> DataContract:
        columns = (
            Column(name="key", logical_type=LogicalType.STRING, role=Role.ID, primary_key=True),
            Column(name="at", logical_type=LogicalType.TIMESTAMP, role=Role.EVENT_TIME),
            Column(name="size", logical_type=LogicalType.NUMBER),
            Column(name="speed", logical_type=LogicalType.NUMBER),
            Column(name="weight", logical_type=LogicalType.INTEGER),
            Column(name="colour", logical_type=LogicalType.STRING),
            Column(name="heavy", logical_type=LogicalType.BOOLEAN),
            Column(name="label", logical_type=label, role=Role.LABEL),
        )
        return DataContract(
            name="things",
            id="things",
            version="1.0.0",
            status="active",
            columns=columns,
            conditions=conditions,
            file="data_contracts/things.yaml",
        )

    return build


def things(rows: int, seed: int, first: int = 0) -> pl.DataFrame:
    """Rows whose label is hard to tell: a noisy sum."""
    random = np.random.default_rng(seed)
    size, speed = random.normal(size=rows), random.normal(size=rows)
    weight = random.integers(0, 100, rows)
    noisy = size + speed + random.normal(size=rows)
    return pl.DataFrame(
        {
            "key": [f"k{number}" for number in range(first, first + rows)],
            "at": [datetime(2024, 1, 1) + timedelta(hours=number) for number in range(first, first + rows)],
            "size": np.where(random.random(rows) < 0.05, np.nan, size),
            "speed": speed,
            "weight": weight,
            "colour": random.choice(["red", "green", "blue"], rows),
            "heavy": weight > 50,
            "label": noisy > 0,
        }
    ).with_columns(pl.col("size").fill_nan(None))


def answered(frame: pl.DataFrame) -> Predictions:
    """The best that can be said without the noise."""
    total = frame["size"].fill_null(0.0).to_numpy() + frame["speed"].to_numpy()
    high = 1 / (1 + np.exp(-1.7 * total))
    return Predictions(high > 0.5, np.column_stack([1 - high, high]), (False, True))


@pytest.fixture
def parts() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train, then validation."""
    return things(400, 1), things(200, 2, first=400)


@pytest.fixture
def model_rows(parts: tuple[pl.DataFrame, pl.DataFrame]) -> ModelRows:
    """What the adapter is given of a binary model."""
    train, validation = parts
    shares = {"size": 0.4, "speed": 0.4, "weight": 0.1, "colour": 0.05, "heavy": 0.05}
    return ModelRows(train, validation, answered(train), answered(validation), shares, len)
