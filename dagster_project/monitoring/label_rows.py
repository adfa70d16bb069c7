"""Frames of labels as rows of their table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from dagster_project.monitoring.label_table import schema
from dagster_project.storage.label_frames import LabelFrame

if TYPE_CHECKING:
    import polars as pl

TIMES = ("known", "received")


def table_rows(frames: Sequence[LabelFrame]) -> "pl.DataFrame":
    """Every label of ``frames``, in the order in which they were received."""
    import polars as pl

    labels = [msgspec.structs.asdict(label) for frame in frames for label in frame.labels]
    loose = {name: pl.Int64() if name in TIMES else kind for name, kind in schema().items() if name != "day"}
    times = [pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC") for name in TIMES]
    rows = pl.DataFrame(labels, schema=loose).with_columns(times)
    return rows.with_columns(pl.col("received").dt.date().alias("day")).sort("received", maintain_order=True)
