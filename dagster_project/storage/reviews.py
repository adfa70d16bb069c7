"""The review queue as servers read it, and what people did with its rows.

``review/MODEL/queue.json`` below the serving URI is written whole by who asks; servers add a mark beside it for each
row that somebody labelled or skipped. Marks say who is asked what; the labels themselves are kept elsewhere.
"""

import json
import time
import uuid
from collections.abc import Container
from typing import NamedTuple

from dagster_project.domain.errors import MachineryError
from dagster_project.domain.review import Action
from dagster_project.storage.files import location, write_atomic
from dagster_project.storage.folders import children, in_words, read_whole


class Mark(NamedTuple):
    """Somebody labelled or skipped a row."""

    row_id: str
    who: str
    action: Action


Done = dict[str, dict[str, Action]]
"""By row: what each person did last."""


class Reviews:
    """The queue of one model and its marks.

    Every method raises ``MachineryError`` where the place can't be read or written.
    """

    def __init__(self, serving_uri: str, model: str) -> None:
        folder = location(serving_uri) / "review" / model
        self._queue, self._marks = folder / "queue.json", folder / "marks"
        self._seen: dict[str, Mark] = {}

    def publish(self, queue: bytes) -> None:
        """Replace the queue."""
        write_atomic(self._queue, queue)

    def queue(self) -> bytes | None:
        """As it was published; None where nobody was ever asked."""
        return read_whole(self._queue)

    def mark(self, mark: Mark) -> None:
        """Keep it."""
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:12]}.json"
        write_atomic(self._marks / name, json.dumps(mark._asdict()).encode())

    def done(self) -> Done:
        """What every server was told; files that were read before are not read again."""
        seen, done = self._seen, Done()
        self._seen = {}
        for path in children(self._marks):
            mark = seen.get(path.name) or _read(path)
            if mark is not None:
                self._seen[path.name] = mark
                done.setdefault(mark.row_id, {})[mark.who] = mark.action
        return done

    def forget(self, rows: Container[str]) -> None:
        """Remove marks of rows that nobody is asked about any more; ``rows`` are those that stay."""
        for name in [name for name, mark in self._seen.items() if mark.row_id not in rows]:
            with in_words(self._marks):
                (self._marks / name).unlink(missing_ok=True)
            del self._seen[name]


def _read(path: object) -> Mark | None:
    """None where it is gone, or is the half of one that is being written aside."""
    if not str(path).endswith(".json"):
        return None
    data = read_whole(path)
    try:
        return Mark(**json.loads(data)) if data is not None else None
    except (ValueError, TypeError) as error:
        raise MachineryError(f"{path}: no mark of a review: {error}. Remove it.") from error
