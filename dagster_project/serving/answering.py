"""From an inference request to its answer: pick a version, run it, log it, compare it."""

import asyncio
import random
import time
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from dagster_project.domain.prediction import row_texts_json
from dagster_project.serving.batching import BrokenError, LateError, OverloadedError
from dagster_project.serving.columns import Columns
from dagster_project.serving.live import Arrays
from dagster_project.serving.prediction_log import Logged, PredictionLog, hashed, log_inputs
from dagster_project.serving.protocol import BadRequest, InferRequest, decode_request
from dagster_project.serving.registry import Loaded, Registry
from dagster_project.serving.row_ids import new_ids


@dataclass(slots=True, repr=False)
class Asked:
    """An inference request and who answers it. ``started`` and ``deadline`` are by ``time.monotonic``.

    ``body`` is what was sent, not compressed, and ``length`` that of its JSON, where tensors lie behind it.
    """

    loaded: Loaded
    request: InferRequest
    body: bytes
    length: int | None
    started: float
    deadline: float


class Answerer:
    """What the app does for ``infer``, behind the protocol."""

    def __init__(self, registry: Registry, log: PredictionLog | None, key: bytes) -> None:
        self._registry, self._log, self._key = registry, log, key
        self._mirrored: set[asyncio.Task[None]] = set()

    def begin(self, asked: Asked, last: bool) -> "Arrays | asyncio.Future[Arrays]":
        """The model's answers, or who will have them. ``last``: no other request is about to begin.

        Raises:
            OverloadedError, BrokenError: from the batcher.
        """
        batcher, request, deadline = asked.loaded.batcher, asked.request, asked.deadline
        try:
            answers = batcher.at_once(request.columns, request.rows, deadline) if last else None
        except BrokenError:
            asked.loaded.observer.broke(request.rows)
            raise
        return batcher.submit(request.columns, request.rows, deadline, last) if answers is None else answers

    def end(self, asked: Asked, found: "Arrays | asyncio.Future[Arrays]") -> tuple[Arrays, dict[str, Any]]:
        """Outputs by name, and the response's parameters: the rows' ids and the digest that answered.

        Raises:
            LateError, BrokenError: from the batcher.
        """
        loaded, request = asked.loaded, asked.request
        try:
            answers = found.result() if isinstance(found, asyncio.Future) else found
        except BrokenError:
            loaded.observer.broke(request.rows)
            raise
        seconds = time.monotonic() - asked.started
        loaded.observer.answered(request.rows, seconds if loaded.place != "live" else None)
        first_id = new_ids(request.rows)
        if self._log is not None:
            self._log.append(self._logged(loaded, request, answers, first_id, seconds))
        mirror = self._registry.mirror(loaded.model.name, loaded)
        if mirror is not None:
            self._mirror(mirror, asked, answers)
        return answers, {"row_ids": msgspec.Raw(row_texts_json(first_id, request.rows)), "onnx": loaded.model.onnx}

    def _logged(self, loaded: Loaded, request: InferRequest, answers: Arrays, first_id: int, seconds: float) -> Logged:
        model, desired = loaded.model, loaded.model.desired
        share = desired.serving.log.inputs
        ids, inputs = request.ids, None
        if ids and desired.id_restricted:
            ids = hashed(ids, self._key)
        if share and random.random() < share:
            inputs = log_inputs(request.columns.arrays(), desired.inputs, self._key)
        now, name, place = time.time(), model.name, loaded.place
        rows, times = request.rows, request.times
        return Logged(name, model.onnx, place, first_id, rows, now, seconds, answers, ids, inputs, times)

    def _mirror(self, mirror: Loaded, asked: Asked, answers: Arrays) -> None:
        task = asyncio.ensure_future(_compare(mirror, asked, answers))
        self._mirrored.add(task)
        task.add_done_callback(self._mirrored.discard)


async def _compare(mirror: Loaded, asked: Asked, answers: Arrays) -> None:
    """Run the same rows on the other version and tell the one that is on its way how far they disagree."""
    started, rows = time.monotonic(), asked.request.rows
    try:
        others = await mirror.batcher.submit(_read_for(mirror, asked), rows, asked.deadline)
    except (OverloadedError, LateError):
        return  # clients go first
    except (BrokenError, BadRequest):  # live, it would not answer this either
        mirror.observer.broke(rows)
        return
    mirror.observer.answered(rows, time.monotonic() - started)
    if mirror.place == "live":
        asked.loaded.observer.compare(answers, others)
    else:
        mirror.observer.compare(others, answers)


def _read_for(mirror: Loaded, asked: Asked) -> Columns:
    """The rows as the other version takes them: it may read other columns of the contract."""
    signature = mirror.model.signature
    if signature.form == asked.loaded.model.signature.form:
        return replace(asked.request.columns, signature=signature)
    return decode_request(asked.body, asked.length, signature).columns
