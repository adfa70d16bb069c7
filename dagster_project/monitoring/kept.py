"""What is worked out once for a champion, beside the model's tables: by everything that it depends on."""

import json
from collections.abc import Callable
from typing import Any

from dagster_project.domain.base import digest_of
from dagster_project.monitoring.champion import lock_of
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.files import location, read_optional, write_atomic


def kept(watched: Watched, name: str, depends_on: list[Any], make: Callable[[], Any]) -> Any:
    """The JSON value that was kept for this champion and ``depends_on``, or a new one, kept for the next time.

    Raises:
        MachineryError: it can't be written.
    """
    lock = lock_of(watched)
    key = digest_of([lock.onnx, lock.snapshot, *depends_on]).removeprefix("sha256:")[:32]
    place = location(watched.workspace.warehouse) / watched.name_of(name) / f"{key}.json"
    data = read_optional(place)
    if data is None:
        data = json.dumps(make(), sort_keys=True).encode()
        write_atomic(place, data)
    return json.loads(data)
