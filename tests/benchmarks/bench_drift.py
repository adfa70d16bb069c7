"""Drift that was planted into windows of real flights, and windows without any: what is found, and what alarms."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ci.demo.year import whole_year
from dagster_project.domain.contract import DataContract
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import FolderTree
from dagster_project.monitoring.drift_rows import MISSING, Side
from dagster_project.monitoring.drift_threshold import Thresholds, calibrate, scores_between

REFERENCE, WINDOW, WINDOWS, ALARMS, SHIFT, MOVED = 20_000, 5_000, 100, 0.01, 0.2, 0.05
REPOSITORY = Path(__file__).parents[2]


def run() -> dict[str, Any]:
    """Rows in any order, so that windows without drift are without: seasons and days are for the tests."""
    with tempfile.TemporaryDirectory(prefix="acts-bench-") as folder:
        rows = whole_year(Path(folder) / "world").sample(fraction=1.0, shuffle=True, seed=7)
    known = load_repository(FolderTree(REPOSITORY))
    spec = known.specs["late_arrival"]
    every = _side(rows, spec.features.names, known.contracts[spec.contract.name])
    generator = np.random.default_rng(11)
    reference, rest = every.take(np.arange(REFERENCE)), every.take(np.arange(REFERENCE, len(every)))
    usual = calibrate(reference, WINDOW, 0, 7, ALARMS)
    shifted, moved, quiet = 0, 0, 0
    for _ in range(WINDOWS):
        window = rest.take(generator.permutation(len(rest))[: 3 * WINDOW])
        first, second, third = (window.take(np.arange(part * WINDOW, (part + 1) * WINDOW)) for part in range(3))
        shifted += _found(reference, usual, *_shifted(first, reference, generator))
        moved += _found(reference, usual, *_moved(second, generator))
        quiet += bool(_drifted(reference, usual, third))
    return {
        "what": f"{WINDOWS} windows each of {WINDOW:,} flights, {len(every.columns)} columns; reference {REFERENCE:,}",
        "figures": {
            f"{SHIFT} standard deviations in one number: found": shifted,
            "5 points of share between two categories: found": moved,
            "windows without drift: alarms": quiet,
        },
        "ratio": min(shifted, moved) / WINDOWS,
        "goal": "each found in at least 95 of 100; at most 5 alarms in 100 without drift, calibrated to 1 %",
        "holds": min(shifted, moved) >= 95 and quiet <= 5,
    }


def _side(rows: pl.DataFrame, names: tuple[str, ...], contract: DataContract) -> Side:
    columns: dict[str, np.ndarray] = {}
    for name in names:
        number = rows[name].dtype.is_numeric()
        column = (
            rows[name].cast(pl.Float64).to_numpy() if number else rows[name].cast(pl.String).to_numpy().astype(object)
        )
        gone = rows[name].is_null().to_numpy()
        columns[name] = column
        if gone.any():
            columns[f"{name}{MISSING}"] = np.where(gone, "yes", "no").astype(object)
    empty = np.full(rows.height, "", object)
    return Side(columns, empty, empty)


def _shifted(window: Side, reference: Side, generator: np.random.Generator) -> tuple[str, Side]:
    numbers = [name for name, column in window.columns.items() if column.dtype.kind == "f"]
    name = str(generator.choice(numbers))
    column = window.columns[name] + SHIFT * np.nanstd(reference.columns[name])
    return name, Side({**window.columns, name: column}, window.season, window.day)


def _moved(window: Side, generator: np.random.Generator) -> tuple[str, Side]:
    """From the most frequent category to another of at least 1 %."""
    texts = [name for name, column in window.columns.items() if column.dtype.kind == "O" and MISSING not in name]
    name = str(generator.choice(texts))
    column = window.columns[name].copy()
    values, counts = np.unique(column[[value is not None for value in column]].astype(str), return_counts=True)
    largest = values[counts.argmax()]
    other = generator.choice(
        [v for v, n in zip(values, counts, strict=True) if v != largest and n >= len(column) / 100]
    )
    places = generator.permutation(np.flatnonzero(column == largest))[: int(MOVED * len(column))]
    column[places] = other
    return name, Side({**window.columns, name: column}, window.season, window.day)


def _found(reference: Side, usual: Thresholds, name: str, window: Side) -> bool:
    return name in _drifted(reference, usual, window)


def _drifted(reference: Side, usual: Thresholds, window: Side) -> list[str]:
    scores = scores_between(reference, window)
    return [name for name, score in scores.items() if score > usual.of(name)]
