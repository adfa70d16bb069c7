"""What servers have written and the table doesn't have: the next frames of every segment, in order."""

import fcntl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Generic, Protocol, TypeVar

import msgspec

from dagster_project.domain.errors import MachineryError
from dagster_project.storage.segments import FINISHED, Reading, SegmentName, read_frames, seed_of

_FORGOTTEN_SECONDS = 3600


class Frame(Protocol):
    """What a payload decodes to."""

    format: int


F = TypeVar("F", bound=Frame)


@dataclass(frozen=True)
class Kind(Generic[F]):
    """What segments of one folder hold; ``decode`` raises ``msgspec.DecodeError``."""

    decode: Callable[[bytes], F]
    format: int


@dataclass
class Batch(Generic[F]):
    """Frames for one commit, and the position in each stream that it reaches.

    ``emptied`` are finished segments of which the table has everything: they may go once the batch is committed.
    ``moved``: a segment was renamed or removed meanwhile, so that there may be more.
    """

    frames: list[F] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    emptied: list[Path] = field(default_factory=list)
    broken: list[tuple[int, int]] = field(default_factory=list)
    segments: set[str] = field(default_factory=set)
    size: int = 0
    moved: bool = False


def next_batch(kind: Kind[F], folder: Path, position: Callable[[str], int], most_bytes: int) -> Batch[F]:
    """The frames behind ``position`` (of a stream) in every segment, up to some ``most_bytes``.

    Raises:
        MachineryError: a segment can't be read, or another version of the server wrote it.
    """
    batch: Batch[F] = Batch()
    unfinished: set[str] = set()
    for path, name in _segments(folder):
        if name.stream in unfinished:
            continue  # a stream's position is one number: nothing behind a gap is taken
        if not _take(kind, path, name, position(name.stream), batch, most_bytes):
            unfinished.add(name.stream)
        if batch.size >= most_bytes:
            break
    return batch


def forget(folder: Path, emptied: list[Path]) -> None:
    """Remove segments of which the table has everything, and files of servers that died while they made them."""
    for path in emptied:
        path.unlink(missing_ok=True)
    for path in folder.glob("*.new"):
        if time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS:
            path.unlink(missing_ok=True)


def _segments(folder: Path) -> list[tuple[Path, SegmentName]]:
    """Each stream's in its order."""
    return [(path, name) for path in sorted(folder.glob("*")) if (name := SegmentName.of(path))]


def _take(kind: Kind[F], path: Path, name: SegmentName, position: int, batch: Batch[F], most_bytes: int) -> bool:
    """Add what is new in one segment; whether all of it was taken and nothing more will come."""
    offset = max(0, position - name.base)
    try:
        with path.open("rb") as file:
            # Before the bytes are read: a writer that is dead now has written its last.
            finished = path.suffix == FINISHED or _is_dead(file)
            file.seek(offset)
            reading, whole = _read(file, name, most_bytes, finished=finished)
    except FileNotFoundError:
        batch.moved = True
        return False
    except OSError as error:
        raise MachineryError(f"{path}: can't be read: {error.strerror or error}. Nothing of it was taken.") from error
    batch.broken += [(offset + start, offset + end) for start, end in reading.broken]
    if reading.payloads:
        batch.frames += [_decoded(kind, payload, path) for payload in reading.payloads]
        batch.positions[name.stream] = name.base + offset + reading.end
        batch.segments.add(name.stem)
        batch.size += reading.end
    elif finished and whole:
        batch.emptied.append(path)
    return finished and whole


def _read(file: BinaryIO, name: SegmentName, most_bytes: int, *, finished: bool) -> tuple[Reading, bool]:
    """The next frames, at least one where there is one; whether the file was read to its end."""
    data, seed = file.read(most_bytes), seed_of(name.stream)
    more = file.read(1)
    reading = read_frames(data, seed, final=finished and not more)
    if more and not reading.payloads:
        return read_frames(data + more + file.read(), seed, final=finished), True
    return reading, not more


def _is_dead(file: BinaryIO) -> bool:
    """Whether the writer's lock is gone: the kernel drops it with the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _decoded(kind: Kind[F], payload: bytes, path: Path) -> F:
    try:
        frame = kind.decode(payload)
    except msgspec.DecodeError as error:
        raise MachineryError(f"{path}: a frame that nobody can read: {error}. Nothing of it was taken.") from error
    if frame.format != kind.format:
        raise MachineryError(f"{path}: frames of format {frame.format}; this version reads {kind.format}. Update it.")
    return frame
