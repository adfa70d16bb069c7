"""Answers on their way to the log's writer: as they came, then as the frames that will be written."""

import threading
from collections import deque

from dagster_project.serving.log_encoding import Encoded, Logged, encoded

# Taken out of the queue at a time. Encoding holds the interpreter: between two chunks others may run.
CHUNK, CHUNK_ROWS = 256, 65_536
BEHIND = 2_048
"""Answers that may wait as they came; with more of them, who adds one makes a chunk of them into a frame."""


class LogQueue:
    """One thread adds, one writes and takes ``frames`` from their left end; either may encode, in order.

    An answer is some ten small objects, 700 bytes and a piece of onnxruntime's memory; its row in a frame is 60 bytes.
    While the disk hangs, thousands would come to lie between objects that stay, and neither Python nor onnxruntime
    gives such memory back. So no more than ``BEHIND`` ever wait as they came; a chunk takes 0.2 ms, whoever encodes it.
    """

    def __init__(self, server: str) -> None:
        self.frames: deque[Encoded] = deque()
        self._server = server
        self._entries: deque[Logged] = deque()
        self._encoding = threading.Lock()

    def add(self, entry: Logged) -> None:
        """Never waits for the thread that writes."""
        self._entries.append(entry)
        if len(self._entries) > BEHIND and self._encoding.acquire(blocking=False):
            try:
                self._encode()
            finally:
                self._encoding.release()

    def encode(self) -> None:
        """The next chunk as frames; nothing where nothing waits."""
        with self._encoding:
            self._encode()

    def _encode(self) -> None:
        chunk: list[Logged] = []
        rows = 0
        while self._entries and len(chunk) < CHUNK and rows < CHUNK_ROWS:
            chunk.append(self._entries.popleft())
            rows += chunk[-1].rows
        self.frames.extend(encoded(chunk, self._server))
