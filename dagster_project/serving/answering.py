"""From an inference request to its answer: pick a version, run it, log it, compare it."""

import asyncio
import random
import time
from typing import Any

from dagster_project.domain.prediction import row_texts
from dagster_project.serving.batching import BrokenError, LateError, OverloadedError
from dagster_project.serving.live import Columns
from dagster_project.serving.prediction_log import Logged, PredictionLog, hashed, log_inputs
from dagster_project.serving.protocol import InferRequest
from dagster_project.serving.registry import Loaded, Registry
from dagster_project.serving.row_ids import new_ids


class Answerer:
    """What the app does for ``infer``, behind the protocol."""

    def __init__(self, registry: Registry, log: PredictionLog | None, key: bytes) -> None:
        self._registry, self._log, self._key = registry, log, key
        self._mirrored: set[asyncio.Task[None]] = set()

    async def answer(
        self, loaded: Loaded, request: InferRequest, started: float, deadline: float, last: bool
    ) -> tuple[Columns, dict[str, Any]]:
        """Outputs by name, and the response's parameters: the rows' ids and the digest that answered.

        ``last``: no other request is about to begin.

        Raises:
            OverloadedError, LateError, BrokenError: from the batcher.
        """
        try:
            answers = loaded.batcher.at_once(request.columns, request.rows, deadline) if last else None
            if answers is None:
                answers = await loaded.batcher.submit(request.columns, request.rows, deadline, last)
        except BrokenError:
            loaded.observer.broke(request.rows)
            raise
        seconds = time.monotonic() - started
        loaded.observer.answered(request.rows, seconds if loaded.place != "live" else None)
        first_id = new_ids(request.rows)
        if self._log is not None:
            self._log.append(self._logged(loaded, request, answers, first_id, seconds))
        mirror = self._registry.mirror(loaded.model.name, loaded)
        if mirror is not None:
            self._mirror(mirror, loaded, request, answers, deadline)
        return answers, {"row_ids": row_texts(first_id, request.rows), "onnx": loaded.model.onnx}

    def _logged(self, loaded: Loaded, request: InferRequest, answers: Columns, first_id: int, seconds: float) -> Logged:
        model, desired = loaded.model, loaded.model.desired
        share = desired.serving.log.inputs
        ids, inputs = request.ids, None
        if ids and desired.id_restricted:
            ids = hashed(ids, self._key)
        if share and random.random() < share:
            inputs = log_inputs(request.columns, desired.inputs, self._key)
        now, name, place = time.time(), model.name, loaded.place
        rows, times = request.rows, request.times
        return Logged(name, model.onnx, place, first_id, rows, now, seconds, answers, ids, inputs, times)

    def _mirror(
        self, mirror: Loaded, answering: Loaded, request: InferRequest, answers: Columns, deadline: float
    ) -> None:
        task = asyncio.ensure_future(_compare(mirror, answering, request, answers, deadline))
        self._mirrored.add(task)
        task.add_done_callback(self._mirrored.discard)


async def _compare(mirror: Loaded, answering: Loaded, request: InferRequest, answers: Columns, deadline: float) -> None:
    """Run the same rows on the other version and tell the one that is on its way how far they disagree."""
    started = time.monotonic()
    try:
        others = await mirror.batcher.submit(request.columns, request.rows, deadline)
    except (OverloadedError, LateError):
        return  # clients go first
    except BrokenError:
        mirror.observer.broke(request.rows)
        return
    mirror.observer.answered(request.rows, time.monotonic() - started)
    if mirror.place == "live":
        answering.observer.compare(answers, others)
    else:
        mirror.observer.compare(others, answers)
