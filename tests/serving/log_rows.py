"""Answers to log, and what lies in a folder of segments."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dagster_project.serving.prediction_log import Logged
from dagster_project.serving.row_ids import new_ids
from dagster_project.storage.log_frames import LogFrame, decode
from dagster_project.storage.segments import Reading, SegmentName, read_frames, seed_of

DIGEST = f"sha256:{'a' * 64}"


def answer(number: int, rows: int = 1, **changed: object) -> Logged:
    """The answer to one request of a classifier; ids ``r<number>.<row>``."""
    fields = {
        "model": "late",
        "onnx": DIGEST,
        "place": "live",
        "first_id": new_ids(rows),
        "rows": rows,
        "at": time.time(),
        "seconds": 0.0005,
        "outputs": {
            "label": np.array(["late"] * rows, object),
            "probabilities": np.tile(np.array([[0.25, 0.75]], np.float32), (rows, 1)),
        },
        "ids": [f"r{number}.{row}" for row in range(rows)],
        **changed,
    }
    return Logged(**fields)  # type: ignore[arg-type]


def segments(folder: Path) -> list[Path]:
    """Segments, oldest first."""
    return sorted(path for path in folder.glob("*.*") if path.suffix in (".open", ".log"))


def frames(folder: Path) -> list[LogFrame]:
    """Every whole frame in the folder."""
    return [decode(payload) for path in segments(folder) for payload in read_segment(path).payloads]


def read_segment(path: Path) -> Reading:
    """What a segment holds, as if nobody wrote it any more."""
    name = SegmentName.of(path)
    assert name is not None, path
    return read_frames(path.read_bytes(), seed_of(name.stream), final=True)


def logged_ids(folder: Path) -> list[str | None]:
    """The contract's ids in the order in which they lie there."""
    return [entry for frame in frames(folder) for entry in frame.ids or ()]


def wait_for(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Until ``condition`` holds; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)
