"""Many answers as few frames: one for each model, digest, place and set of columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from dagster_project.storage.log_frames import NO_TIME, LogFrame, Packed, encode, pack

Key = tuple[str, str, str]
"""Model, digest of its ONNX file, place."""


@dataclass(slots=True)
class Logged:
    """One answered request. ``first_id`` 128 bits, ``at`` seconds since 1970, ``seconds`` it took inside the server.

    ``outputs`` arrays of ``rows`` rows; ``ids`` the contract's id column as it may be kept; ``inputs`` where this
    request was sampled, as :func:`~dagster_project.serving.log_privacy.log_inputs` leaves them; ``times`` when each
    row's event is, as a LogFrame has it.
    """

    model: str
    onnx: str
    place: str
    first_id: int
    rows: int
    at: float
    seconds: float
    outputs: dict[str, np.ndarray]
    ids: list[str] | None = None
    inputs: dict[str, np.ndarray] | None = None
    times: list[int] | None = None

    @property
    def key(self) -> Key:
        """Whose answer it is."""
        return self.model, self.onnx, self.place


@dataclass(frozen=True)
class Encoded:
    """A frame's payload with ``rows`` rows; ``lost`` rows could not be encoded, ``why`` says why."""

    payload: bytes | None
    key: Key
    rows: int
    lost: int = 0
    why: str = ""


def encoded(entries: Sequence[Logged], server: str) -> Iterator[Encoded]:
    """The frames of ``entries``."""
    groups: dict[object, list[Logged]] = {}
    for entry in entries:
        columns = (*entry.outputs, None, *(entry.inputs or ()), entry.inputs is None)
        groups.setdefault((entry.model, entry.onnx, entry.place, columns), []).append(entry)
    for group in groups.values():
        yield from _group(group, server)


def dropped_frame(key: Key, server: str, rows: int, at: float) -> bytes:
    """A frame that says how many rows were answered and not kept."""
    model, onnx, place = key
    return encode(LogFrame(server, model, onnx, place, b"", b"", _doubles([at]), b"", {}, dropped=rows))


def _group(group: Sequence[Logged], server: str) -> Iterator[Encoded]:
    """One frame; where an entry doesn't fit the others, one for each that can be encoded at all."""
    rows = sum([entry.rows for entry in group])
    try:
        payload = encode(_frame(group, server, rows))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one answer, the others are kept
        if len(group) == 1:
            yield Encoded(None, group[0].key, 0, rows, f"{type(error).__name__}: {error}")
        for entry in group if len(group) > 1 else ():
            yield from _group([entry], server)
    else:
        yield Encoded(payload, group[0].key, rows)


def _frame(group: Sequence[Logged], server: str, rows: int) -> LogFrame:
    first = group[0]
    return LogFrame(
        server,
        first.model,
        first.onnx,
        first.place,
        b"".join([entry.first_id.to_bytes(16, "little") for entry in group]),
        np.array([entry.rows for entry in group], "<u4").tobytes(),
        _doubles([entry.at for entry in group]),
        _doubles([entry.seconds for entry in group]),
        {name: _joined([entry.outputs[name] for entry in group], rows) for name in first.outputs},
        _ids(group, rows),
        {name: _joined([(e.inputs or {})[name] for e in group], rows) for name in first.inputs}
        if first.inputs is not None
        else None,
        _times(group, rows),
    )


def _ids(group: Sequence[Logged], rows: int) -> list[str | None] | None:
    if all(entry.ids is None for entry in group):
        return None
    ids = list(chain.from_iterable([[None] * entry.rows if entry.ids is None else entry.ids for entry in group]))
    if len(ids) != rows:
        raise ValueError(f"{len(ids)} ids for {rows} rows")
    return ids


def _times(group: Sequence[Logged], rows: int) -> bytes | None:
    if all(entry.times is None for entry in group):
        return None
    parts = [[NO_TIME] * entry.rows if entry.times is None else entry.times for entry in group]
    times = np.array(list(chain.from_iterable(parts)), "<i8")
    if len(times) != rows:
        raise ValueError(f"{len(times)} times for {rows} rows")
    return times.tobytes()


def _joined(parts: list[np.ndarray], rows: int) -> Packed:
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if len(whole) != rows:
        raise ValueError(f"{len(whole)} answers for {rows} rows")
    return pack(whole)


def _doubles(values: list[float]) -> bytes:
    return np.array(values, "<f8").tobytes()
