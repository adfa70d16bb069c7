"""``labels``: what really happened, said by clients and people; on the disk before anybody is told that it is kept.

Labels are rare and precious. So a request's labels are appended as one frame and made durable (fdatasync) before the
answer, by a thread of its own: answers of models never wait for it. A sender that hears nothing, or a 503, sends them
again, and they are the same events.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from dagster_project.serving.http import HttpError
from dagster_project.serving.label_entry import Terms
from dagster_project.serving.label_request import read_labels
from dagster_project.serving.log_privacy import hashed
from dagster_project.serving.registry import Loaded, Registry
from dagster_project.serving.reviewing import Reviewer
from dagster_project.serving.segments import SegmentWriter
from dagster_project.storage.label_frames import LabelFrame, encode

SEGMENT_BYTES = 16 * 1024**2
SEGMENT_SECONDS = 600.0
DISK_BYTES = 2 * 1024**3
MOST_WAITING = 32
CLOSING_SECONDS = 10.0
_AGAIN = (b"retry-after", b"5")


class Labeller:
    """Takes labels for what is served and keeps them in segments of ``folder``."""

    def __init__(self, registry: Registry, folder: Path, server: str, key: bytes, reviewer: Reviewer) -> None:
        self._registry, self._server, self._key, self._reviewer = registry, server, key, reviewer
        self._segments = SegmentWriter(folder, server, SEGMENT_BYTES, SEGMENT_SECONDS, DISK_BYTES)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="labels")
        self._waiting = 0

    async def take(self, loaded: Loaded, body: bytes, holder: str | None) -> dict[str, Any]:
        """Keep the labels of one request; the answer: the event of each, in their order.

        Raises:
            BadRequest: something is wrong with it; nothing of it was kept.
            HttpError: 429 too many who wait, 503 the disk can't be written.
        """
        if self._waiting >= MOST_WAITING:
            raise HttpError(429, "too many labels are waiting; try again later", _AGAIN)
        self._waiting += 1
        try:
            work = partial(self._keep, body, self._terms(loaded), holder)
            events = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except OSError as error:
            words = f"labels can't be written: {error.strerror or error}; send them again, none counts twice"
            raise HttpError(503, words, _AGAIN) from error
        finally:
            self._waiting -= 1
        loaded.metrics.labels += len(events)
        return {"model_name": loaded.model.name, "events": events}

    def close(self) -> None:
        """Finish the segment, if the disk answers."""
        with suppress(OSError, LateError):
            self._pool.submit(self._segments.finish).result(CLOSING_SECONDS)
        self._pool.shutdown(wait=False)

    def _keep(self, body: bytes, terms: Terms, holder: str | None) -> list[str]:
        labels = self._reviewer.audited(terms.model, read_labels(body, terms, time.time_ns() // 1000, holder))
        self._segments.append(encode(LabelFrame(self._server, labels)))
        self._segments.sync()
        self._reviewer.labelled(terms.model, labels)
        return [label.event for label in labels]

    def _terms(self, loaded: Loaded) -> Terms:
        """A version that is on its way may know classes that the live one doesn't."""
        name, desired = loaded.model.name, loaded.model.desired
        known = [each.model.signature.classes for each in self._registry.slot(name).loaded]
        classes = tuple(dict.fromkeys(label for classes in known for label in classes))
        return Terms(name, classes, partial(self._kept, desired.id_restricted) if desired.id_column else None)

    def _kept(self, restricted: bool, contract_id: str) -> str:
        return hashed([contract_id], self._key)[0] if restricted else contract_id
