"""Frames of the prediction log as rows of its table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from dagster_project.domain.prediction import label_text, row_texts
from dagster_project.storage.log_frames import NO_TIME, LogFrame, unpack

if TYPE_CHECKING:
    import polars as pl

ID_BYTES = 16


def schema() -> "pl.Schema":
    """The table's columns.

    ``time`` is that of the event, where the client sent the contract's. ``inputs`` is a JSON object, null where the
    request was not sampled: models have different columns, and those of a model change, but the table's do not. A row
    with ``dropped`` has no ``row_id``: so many rows were answered and could not be kept. ``day`` (UTC) parts the files.
    """
    import polars as pl

    text = ("model", "onnx", "place", "server", "id", "label", "inputs")
    return pl.Schema(
        {
            "row_id": pl.String(),
            "at": pl.Datetime("us", "UTC"),
            "time": pl.Datetime("us", "UTC"),
            **{name: pl.String() for name in text},
            "seconds": pl.Float64(),
            "value": pl.Float64(),
            "probabilities": pl.List(pl.Float64()),
            "dropped": pl.Int64(),
            "day": pl.Date(),
        }
    )


def table_rows(frames: Sequence[LogFrame]) -> "pl.DataFrame":
    """Every row of ``frames``, in the order of time."""
    import polars as pl

    parts = [pl.DataFrame(_columns(frame), schema=_loose(), strict=False) for frame in frames]
    if not parts:
        return pl.DataFrame(schema=schema())
    instants = [pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC") for name in ("at", "time")]
    return (
        pl.concat(parts).with_columns(instants).with_columns(pl.col("at").dt.date().alias("day")).sort("at", "row_id")
    )


def _loose() -> "dict[str, pl.DataType]":
    """The schema before ``at`` and ``time`` are instants."""
    import polars as pl

    return {**{name: kind for name, kind in schema().items() if name != "day"}, "at": pl.Int64(), "time": pl.Int64()}


def _columns(frame: LogFrame) -> dict[str, Any]:
    counts = np.frombuffer(frame.rows, "<u4")
    rows = int(counts.sum())
    at = (np.frombuffer(frame.at, "<f8") * 1e6).round().astype(np.int64)
    origin = {"model": frame.model, "onnx": frame.onnx, "place": frame.place, "server": frame.server}
    if frame.dropped:
        return {name: [None] for name in _loose()} | {**origin, "at": at, "dropped": [frame.dropped]}
    return {
        "row_id": _ids(frame.first, counts),
        "at": np.repeat(at, counts),
        "time": _times(frame, rows),
        **origin,
        "id": frame.ids or [None] * rows,
        "label": _labels(frame, rows),
        "inputs": _inputs(frame, rows),
        "seconds": np.repeat(np.frombuffer(frame.seconds, "<f8"), counts),
        "value": _numbers(frame, "value", rows),
        "probabilities": _lists(frame, "probabilities", rows),
        "dropped": [None] * rows,
    }


def _ids(first: bytes, counts: np.ndarray) -> list[str]:
    starts = (int.from_bytes(first[i : i + ID_BYTES], "little") for i in range(0, len(first), ID_BYTES))
    return [text for start, rows in zip(starts, counts.tolist(), strict=True) for text in row_texts(start, rows)]


def _times(frame: LogFrame, rows: int) -> list[int | None]:
    if frame.times is None:
        return [None] * rows
    return [None if time == NO_TIME else time for time in np.frombuffer(frame.times, "<i8").tolist()]


def _labels(frame: LogFrame, rows: int) -> list[str | None]:
    if "label" not in frame.outputs:
        return [None] * rows
    return [label_text(value) for value in unpack(frame.outputs["label"]).ravel().tolist()]


def _numbers(frame: LogFrame, name: str, rows: int) -> Any:
    return unpack(frame.outputs[name]).ravel().astype(np.float64) if name in frame.outputs else [None] * rows


def _lists(frame: LogFrame, name: str, rows: int) -> list[Any]:
    return unpack(frame.outputs[name]).reshape(rows, -1).tolist() if name in frame.outputs else [None] * rows


def _inputs(frame: LogFrame, rows: int) -> list[str | None]:
    """A JSON object a row; what is not a number there (NaN) is null."""
    if frame.inputs is None:
        return [None] * rows
    columns = [_plain(unpack(packed)) for packed in frame.inputs.values()]
    return [
        msgspec.json.encode(dict(zip(frame.inputs, row, strict=True))).decode() for row in zip(*columns, strict=True)
    ]


def _plain(column: np.ndarray) -> list[Any]:
    """(rows, 1) as a value a row, anything wider as a list a row."""
    return column.ravel().tolist() if column.size == len(column) else column.tolist()
