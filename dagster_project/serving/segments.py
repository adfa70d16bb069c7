"""The files of one server's log: where frames are appended, made durable, rotated, and where room ends."""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import time
from pathlib import Path

from dagster_project.storage.segments import FINISHED, OPEN, SegmentName, framed, seed_of

# How long a look at the folder is believed; other servers write there too.
ROOM_SECONDS = 1.0
_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")


class SegmentWriter:
    """Appends to the current segment; the first frame makes it. A process writes one stream of segments.

    Every method may raise OSError. What failed to be appended left nothing behind and can be tried again.
    """

    def __init__(self, folder: Path, server: str, most_bytes: int, most_seconds: float, disk_bytes: int) -> None:
        name = _UNFIT.sub("-", server)[:80] or "server"
        self.stream = f"{name}.{time.time_ns():x}-{secrets.token_hex(8)}"
        self.folder, self.disk_bytes = folder, disk_bytes
        self.most_bytes, self.most_seconds = most_bytes, most_seconds
        self._seed = seed_of(self.stream)
        self._file: int | None = None
        self._base = self._size = 0
        self._born = self._looked = 0.0
        self._left = 0

    def append(self, payload: bytes) -> None:
        """Hand a frame to the operating system; it outlives this process from here on."""
        data = framed(payload, self._seed)
        self._make_room(len(data))
        file = self._open() if self._file is None else self._file
        try:
            _write(file, data)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, self._size)
            self._size = os.fstat(file).st_size
            raise
        self._size += len(data)
        self._left -= len(data)

    def sync(self) -> None:
        """Make what was appended outlive a power cut; finish a segment that is large or old."""
        if self._file is None:
            return
        os.fdatasync(self._file)
        if self._size >= self.most_bytes or time.monotonic() - self._born >= self.most_seconds:
            self.finish()

    def finish(self) -> None:
        """Close the current segment for good."""
        if self._file is None:
            return
        # The lock goes last: a segment without it and without its new name reads as finished too.
        file, self._file = self._file, None
        try:
            os.fdatasync(file)
            self._path(OPEN).rename(self._path(FINISHED))
            _sync_folder(self.folder)
        finally:
            self._base, self._size = self._base + self._size, 0
            os.close(file)

    def _open(self) -> int:
        """A new segment, locked before it has a name that readers look for."""
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self._path(".new")
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            aside.rename(self._path(OPEN))
            _sync_folder(self.folder)
        except OSError:
            os.close(file)
            raise
        self._file, self._born = file, time.monotonic()
        return file

    def _make_room(self, needed: int) -> None:
        if needed <= self._left and time.monotonic() - self._looked < ROOM_SECONDS:
            return
        used, self._looked = segment_bytes(self.folder), time.monotonic()
        self._left = self.disk_bytes - used
        if needed > self._left:
            words = f"{used:,} of {self.disk_bytes:,} bytes are taken; acts ingest makes room"
            raise OSError(errno.EDQUOT, words, str(self.folder))

    def _path(self, suffix: str) -> Path:
        return self.folder / f"{SegmentName(self.stream, self._base).stem}{suffix}"


def segment_bytes(folder: Path) -> int:
    """Size of every segment in the folder, whoever wrote it."""
    total = 0
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((OPEN, FINISHED)):
                with contextlib.suppress(FileNotFoundError):
                    total += entry.stat().st_size
    return total


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
