"""The prediction log's serving side: answers are taken in memory and written to segments by a thread of its own.

What is lost: a killed process loses what is younger than the last flush. A flush ends with fdatasync, so that a power
cut loses no more than that. A full disk loses nothing at first: rows wait in memory up to ``most_rows``, then new ones
are dropped, counted, and the count is written as soon as there is room.
"""

import threading
import time
from pathlib import Path

from dagster_project.serving.log_encoding import Encoded, Key, Logged, dropped_frame
from dagster_project.serving.log_privacy import hashed, log_inputs, log_key
from dagster_project.serving.log_queue import LogQueue
from dagster_project.serving.segments import SegmentWriter

__all__ = ["Logged", "PredictionLog", "hashed", "log_inputs", "log_key"]

MOST_ROWS = 200_000
SEGMENT_BYTES = 64 * 1024**2
SEGMENT_SECONDS = 600.0
DISK_BYTES = 2 * 1024**3
PAUSE = 0.0002  # seconds between two chunks, in which others may run
# Of the declared seconds: the rest is for a thread that is woken late and a disk that is slow for once.
EARLY = 0.75
CLOSING_SECONDS = 10.0


class PredictionLog:
    """Keeps answers. One thread appends (the server's loop), one writes; each counts for itself, so nothing is locked.

    ``error`` says what is wrong with the disk, None while nothing is. ``folder`` may not exist yet.
    """

    def __init__(
        self,
        folder: Path,
        server: str,
        flush: float,
        most_rows: int = MOST_ROWS,
        segment_bytes: int = SEGMENT_BYTES,
        *,
        segment_seconds: float = SEGMENT_SECONDS,
        disk_bytes: int = DISK_BYTES,
    ) -> None:
        self.server, self.most_rows = server, most_rows
        self.error: str | None = None
        self._segments = SegmentWriter(folder, server, segment_bytes, segment_seconds, disk_bytes)
        self._queue = LogQueue(server)
        self._taken = self._written = self._durable = 0
        # Rows that were not kept, by whose they were: full memory (counted by append), unfit entries (by the writer).
        self._refused: dict[Key, int] = {}
        self._lost: dict[Key, int] = {}
        self._told: dict[Key, int] = {}
        self._wake, self._closing, self._took = threading.Event(), False, 0.0
        self.flush = flush
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)
        self._thread.start()

    def append(self, entry: Logged) -> None:
        """Keep an answer. Never blocks and never raises; what exceeds ``most_rows`` waiting rows is counted only."""
        waiting = self._taken - self._written + entry.rows
        if waiting > self.most_rows:
            self._refused[entry.key] = self._refused.get(entry.key, 0) + entry.rows
            return
        self._taken += entry.rows
        self._queue.add(entry)
        if waiting * 2 > self.most_rows and self.error is None and not self._wake.is_set():
            self._wake.set()

    @property
    def flush(self) -> float:
        """Seconds after which what was answered is on the disk. Who sets fewer need not wait for the last one's end."""
        return self._seconds

    @flush.setter
    def flush(self, seconds: float) -> None:
        self._seconds = seconds
        self._wake.set()

    @property
    def backlog(self) -> int:
        """Rows that are not on the disk yet."""
        return self._taken - self._durable

    @property
    def dropped(self) -> int:
        """Rows that were answered and are not in the log."""
        return sum(self._refused.values()) + sum(self._lost.values())

    def close(self) -> None:
        """Flush and finish the segment. What can't be written within ten seconds is lost, and ``error`` says so."""
        self._closing = True
        self._wake.set()
        self._thread.join(CLOSING_SECONDS)
        if self.backlog:
            self.error = f"{self.backlog:,} rows were not written: {self.error or 'the disk does not answer'}"

    def _run(self) -> None:
        while not self._closing:
            # A row that came when a flush had begun waits for its end, then this, then the end of the next.
            self._wake.wait(max(0.0, EARLY * self.flush - 2 * self._took))
            self._wake.clear()
            started = time.monotonic()
            self._attempt()
            self._took = time.monotonic() - started
        self._attempt(last=True)

    def _attempt(self, *, last: bool = False) -> None:
        """One flush; what goes wrong is said and tried again with the next."""
        try:
            self._flush()
            if last:
                self._segments.finish()
        except OSError as error:
            self.error = f"{error.filename or self._segments.folder}: can't be written: {error.strerror or error}"
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever it is
            self.error = f"the log's writer: {type(error).__name__}: {error}"

    def _flush(self) -> None:
        """What waits now; what comes meanwhile is for the next one, else this one might never end."""
        unfit, until, frames = "", self._taken, self._queue.frames
        while True:
            while frames:
                self._append(frames[0])
                unfit = frames.popleft().why or unfit
            if self._written >= until:
                break
            time.sleep(PAUSE)
            self._queue.encode()
        self._tell_dropped()
        self._segments.sync()
        self._durable = self._written
        self.error = f"an answer could not be kept: {unfit}" if unfit else None

    def _append(self, each: Encoded) -> None:
        if each.payload is not None:
            self._segments.append(each.payload)
        if each.lost:
            self._lost[each.key] = self._lost.get(each.key, 0) + each.lost
        self._written += each.rows + each.lost

    def _tell_dropped(self) -> None:
        """Frames for the rows that were dropped since the last ones. The copies are made in one step each."""
        refused, lost = self._refused.copy(), self._lost.copy()
        for key in {**refused, **lost}:
            total = refused.get(key, 0) + lost.get(key, 0)
            new = total - self._told.get(key, 0)
            if new:
                self._segments.append(dropped_frame(key, self.server, new, time.time()))
                self._told[key] = total
