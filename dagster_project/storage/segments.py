"""Segments: append-only files of frames, written by one process and read by others while it writes.

    SERVER.START-TOKEN.BASE.open   a process writes it and holds its lock (flock); without the lock the process is dead
    SERVER.START-TOKEN.BASE.log    finished
    frame = magic, length, CRC32 of the payload, CRC32 of these twelve bytes, payload (integers little-endian)

SERVER.START-TOKEN names the stream of one process; BASE, 16 hexadecimal digits, is where in it the segment begins. The
checksums start from the stream's name, which no client knows: bytes that one sent are never taken for a frame.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"\xabTAL"
_HEADER = struct.Struct("<4sIII")
OPEN, FINISHED = ".open", ".log"
_NAME = re.compile(r"([\w-]+\.[0-9a-f]+-[0-9a-f]+)\.([0-9a-f]{16})\.(?:open|log)", re.ASCII)


def seed_of(stream: str) -> int:
    """What a stream's checksums start from."""
    return zlib.crc32(stream.encode())


def framed(payload: bytes, seed: int) -> bytes:
    """``payload`` as a frame."""
    head = struct.pack("<4sII", MAGIC, len(payload), zlib.crc32(payload, seed))
    return b"".join((head, struct.pack("<I", zlib.crc32(head, seed)), payload))


@dataclass(frozen=True)
class SegmentName:
    """A segment's place in its stream."""

    stream: str
    base: int

    @property
    def stem(self) -> str:
        """The file's name without what says whether it is finished."""
        return f"{self.stream}.{self.base:016x}"

    @classmethod
    def of(cls, path: Path) -> "SegmentName | None":
        """What a file's name says; None where it is no segment."""
        match = _NAME.fullmatch(path.name)
        return cls(match[1], int(match[2], 16)) if match else None


@dataclass(frozen=True)
class Reading:
    """What bytes of a segment hold: payloads, ``end`` behind the last whole frame, or behind everything that is final.

    ``broken`` are stretches (start, end) that are no frames though frames follow, or though nothing will.
    """

    payloads: tuple[bytes, ...]
    end: int
    broken: tuple[tuple[int, int], ...] = ()


def read_frames(data: bytes, seed: int, *, final: bool) -> Reading:
    """The whole frames of ``data``. What is broken is skipped up to the next whole frame.

    ``final``: nobody writes any more. Else bytes without a whole frame behind them may still become one.
    """
    payloads, broken, position = [], [], 0
    for start, payload in _frames(data, seed):
        if start > position:
            broken.append((position, start))
        payloads.append(payload)
        position = start + _HEADER.size + len(payload)
    if final and position < len(data):
        if not _is_torn(data, position, seed):
            broken.append((position, len(data)))
        position = len(data)
    return Reading(tuple(payloads), position, tuple(broken))


def _frames(data: bytes, seed: int) -> Iterator[tuple[int, bytes]]:
    position = data.find(MAGIC)
    while position >= 0:
        payload = _payload(data, position, seed)
        if payload is not None:
            yield position, payload
        # Behind a frame the next one begins. Inside of what seemed one, a whole one may: a full disk tore the first.
        position = data.find(MAGIC, position + (1 if payload is None else _HEADER.size + len(payload)))


def _payload(data: bytes, position: int, seed: int) -> bytes | None:
    """The payload of the frame at ``position``; None where no whole frame is."""
    length = _length(data, position, seed)
    begin = position + _HEADER.size
    if length is None or begin + length > len(data):
        return None
    payload = data[begin : begin + length]
    return payload if zlib.crc32(payload, seed) == _HEADER.unpack_from(data, position)[2] else None


def _length(data: bytes, position: int, seed: int) -> int | None:
    """The length that a header promises; None where no header is."""
    if position + _HEADER.size > len(data):
        return None
    magic, length, _, check = _HEADER.unpack_from(data, position)
    return length if magic == MAGIC and zlib.crc32(data[position : position + 12], seed) == check else None


def _is_torn(data: bytes, position: int, seed: int) -> bool:
    """Whether the end is that of a frame whose writer died."""
    if position + _HEADER.size > len(data):
        return MAGIC.startswith(data[position : position + len(MAGIC)])
    length = _length(data, position, seed)
    return length is not None and position + _HEADER.size + length > len(data)
