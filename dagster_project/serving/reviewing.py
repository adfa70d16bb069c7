"""``review``: which rows a person is asked about next, and who labelled or skipped them.

The queue is a file that monitoring writes (:mod:`dagster_project.storage.reviews`); it is read when a person asks, by
a thread of its own, and parsed when it changed.
"""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

import msgspec
from pydantic import ValidationError

from dagster_project.domain.errors import MachineryError
from dagster_project.domain.prediction import label_text
from dagster_project.domain.review import SKIPS, ReviewQueue, ReviewRow
from dagster_project.serving.http import HttpError
from dagster_project.serving.label_entry import text_of
from dagster_project.serving.problems import BadRequest, Wrong, listed, shown
from dagster_project.serving.registry import Loaded
from dagster_project.serving.request_json import load
from dagster_project.storage.label_frames import Label
from dagster_project.storage.reviews import Done, Mark, Reviews

MOST_ROWS = 20
"""Rows that a person is given at a time."""
KEYS = ("skip", "who")
_log = logging.getLogger("acts.serving")


class Reviewer:
    """The queues of every model that is served."""

    def __init__(self, serving_uri: str) -> None:
        self._uri, self._desks = serving_uri, dict[str, Desk]()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="review")

    async def next(self, loaded: Loaded, query: bytes, holder: str | None) -> dict[str, Any]:
        """What a person is asked next; ``who`` is null where nobody said who it is, and there are no rows then.

        Raises:
            BadRequest: who is no name, or not the token's holder.
            HttpError: 503 the queue can't be read.
        """
        who = name_of(_asked(query), holder)
        classes = [label_text(label) for label in loaded.model.signature.classes]
        found = await self._run(partial(self._desk(loaded.model.name).next, who))
        return {"model_name": loaded.model.name, "who": who, "classes": classes, **found}

    async def skip(self, loaded: Loaded, body: bytes, holder: str | None) -> dict[str, Any]:
        """Ask this person no more about a row: ``{"skip": row_id, "who": name}``.

        Raises:
            BadRequest: something is wrong with it, or nobody is asked about this row.
            HttpError: 503 it can't be kept.
        """
        document = load(body)
        if type(document) is not dict or set(document) - set(KEYS):
            raise BadRequest(f"a skip has {', '.join(KEYS)}")
        row_id, who = document.get("skip"), name_of(document.get("who"), holder)
        if type(row_id) is not str or who is None:
            raise BadRequest('send {"skip": row_id, "who": name}; a token says who you are by itself')
        await self._run(partial(self._desk(loaded.model.name).skip, row_id, who))
        return {"model_name": loaded.model.name, "skipped": row_id}

    def audited(self, model: str, labels: Sequence[Label]) -> list[Label]:
        """People's labels with what the queue says of their rows: whether they were drawn at random."""
        rows = {label.row_id for label in labels if label.kind == "human" and label.row_id}
        try:
            drawn = self._desk(model).audits(rows) if rows else {}
        except (MachineryError, OSError) as error:
            _log.warning("whether a labelled row was drawn at random is not known: %s", error)
            drawn = {}
        return [
            msgspec.structs.replace(label, audit=drawn.get(label.row_id or "")) if label.kind == "human" else label
            for label in labels
        ]

    def labelled(self, model: str, labels: Sequence[Label]) -> None:
        """These labels are kept: who gave them is not asked about the rows again."""
        try:
            for label in labels:
                if label.kind == "human" and label.row_id:
                    self._desk(model).mark(Mark(label.row_id, label.who or "", "label"))
        except (MachineryError, OSError) as error:
            _log.warning("the label is kept, and its row may be asked again: %s", error)

    def close(self) -> None:
        """Take nothing more."""
        self._pool.shutdown(wait=False)

    def _desk(self, model: str) -> "Desk":
        return self._desks.setdefault(model, Desk(Reviews(self._uri, model)))

    async def _run(self, work: Any) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except (MachineryError, OSError) as error:
            _log.error("review: %s", error)
            raise HttpError(503, "the review queue can't be read or written; the server's log says why") from error


class Desk:
    """One model's queue as it was read last. Threads take turns."""

    def __init__(self, reviews: Reviews) -> None:
        self._reviews, self._lock = reviews, Lock()
        self._read: tuple[bytes, ReviewQueue] | None = None

    def next(self, who: str | None) -> dict[str, Any]:
        """The first open rows of a person, and how many there are."""
        with self._lock:
            queue = self._queue()
            if queue is None:
                return {"question": "", "columns": [], "rows": [], "left": 0, "labelled": 0}
            done = self._reviews.done()
            rows = open_rows(queue, done, who)
            mine = sum(done.get(row.row_id, {}).get(who or "") == "label" for row in queue.rows)
        return {
            "question": queue.question,
            "columns": [column.model_dump(mode="json") for column in queue.columns],
            "rows": [_told(row) for row in rows[:MOST_ROWS]] if who is not None else [],
            "left": len(rows),
            "labelled": mine,
        }

    def skip(self, row_id: str, who: str) -> None:
        """Raises BadRequest where nobody is asked about the row."""
        with self._lock:
            queue = self._queue()
            if queue is None or all(row.row_id != row_id for row in queue.rows):
                raise BadRequest(f"nobody is asked about {shown(row_id)}")
            self._reviews.mark(Mark(row_id, who, "skip"))

    def mark(self, mark: Mark) -> None:
        """Keep it."""
        with self._lock:
            self._reviews.mark(mark)

    def audits(self, rows: set[str]) -> dict[str, bool]:
        """Of those that are asked about, whether they were drawn at random."""
        with self._lock:
            queue = self._queue()
        return {row.row_id: row.audit for row in queue.rows if row.row_id in rows} if queue else {}

    def _queue(self) -> ReviewQueue | None:
        data = self._reviews.queue()
        if data is None:
            return None
        if self._read is None or self._read[0] != data:
            try:
                self._read = data, ReviewQueue.from_json(data)
            except ValidationError as error:
                raise MachineryError(f"a review queue is not of this version: {error}. Ask again.") from error
        return self._read[1]


def open_rows(queue: ReviewQueue, done: Done, who: str | None) -> list[ReviewRow]:
    """Rows that still want somebody's label, and not the person's own; an order of each person's, so that few meet.

    Rows that others have begun come first: they say how far people agree.
    """
    found = []
    for row in queue.rows:
        said = done.get(row.row_id, {})
        people = {*row.people, *(name for name, action in said.items() if action == "label")}
        skips = sum(action == "skip" for action in said.values())
        if who not in people and who not in said and len(people) < row.wanted and skips < SKIPS:
            found.append((not people, sha256(f"{who} {row.row_id}".encode()).digest(), row))
    return [row for _, _, row in sorted(found, key=lambda entry: entry[:2])]


def name_of(said: Any, holder: str | None) -> str | None:
    """Who it is. Where there are tokens they say it, and nobody can claim to be somebody else."""
    if holder is not None and said is not None:
        raise BadRequest("who: the token says who you are; leave it out")
    if said is None:
        return holder
    try:
        return text_of("who", said)
    except Wrong as wrong:
        raise BadRequest(str(wrong)) from None


def _asked(query: bytes) -> str | None:
    try:
        found = parse_qs(query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError:
        raise BadRequest("the query can't be read; send ?who=NAME, percent-encoded UTF-8") from None
    unknown = [shown(name) for name in found if name != "who"]
    if unknown or len(found.get("who", [""])) != 1:
        raise BadRequest(f"send ?who=NAME once, and nothing else{': ' + listed(unknown) if unknown else ''}")
    return found["who"][0] if found else None


def _told(row: ReviewRow) -> dict[str, Any]:
    """What a person may know: not whether the row was drawn at random, nor what others said."""
    return {"row_id": row.row_id, "at": row.at.isoformat(), "shown": row.shown}
