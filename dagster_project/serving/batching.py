"""Zero-wait batching: what is queued goes into one run; nothing ever waits for more to come."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dagster_project.serving.columns import Columns, joined
from dagster_project.serving.live import Arrays, LiveModel

INLINE = 0.002  # seconds: a longer run goes to a thread, so that the loop keeps reading


class OverloadedError(Exception):
    """The queue is full; ``seconds`` until it is worth trying again."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many rows are waiting; try again later")
        self.seconds = seconds


class LateError(Exception):
    """The deadline was over before the model ran."""


class BrokenError(Exception):
    """The model did not answer; the message is onnxruntime's."""


@dataclass(slots=True)
class Waiting:
    """Rows that wait, and who waits for their answer."""

    columns: Columns
    rows: int
    deadline: float
    answer: "asyncio.Future[Arrays]"


class Batcher:
    """Runs one model on what waits for it, one run at a time. Lives in one event loop."""

    def __init__(self, model: LiveModel, pool: ThreadPoolExecutor, ran: Callable[[int, float], None]) -> None:
        """``ran(rows, seconds)`` is told of every run."""
        self.model = model
        self.rows = 0
        self._serving = model.desired.serving
        self._pool, self._ran = pool, ran
        self._queue: deque[Waiting] = deque()
        self._running = self._scheduled = False
        self._row_seconds = model.run_seconds
        self._loop = asyncio.get_running_loop()

    def at_once(self, columns: Columns, rows: int, deadline: float) -> Arrays | None:
        """The answers to a request in time, where nothing waits or runs and the run is short. None: submit it.

        Raises:
            BrokenError: the model did not answer.
        """
        started = time.monotonic()
        if self._running or self._queue or rows * self._row_seconds >= INLINE or deadline < started:
            return None
        try:
            answers = self.model.run(columns.arrays())
        except Exception as error:  # onnxruntime's errors have no other base
            raise BrokenError(str(error)) from error
        self._learn(rows, time.monotonic() - started)
        return answers

    def submit(self, columns: Columns, rows: int, deadline: float, last: bool = False) -> "asyncio.Future[Arrays]":
        """The answers to come. ``deadline`` is by ``time.monotonic``; ``last``: nobody else is about to submit.

        Raises:
            OverloadedError: too many rows wait already.
        """
        if self.rows + rows > self._serving.queue_rows and self.rows:
            raise OverloadedError(max(1.0, self.rows * self._row_seconds))
        answer: asyncio.Future[Arrays] = self._loop.create_future()
        self._queue.append(Waiting(columns, rows, deadline, answer))
        self.rows += rows
        if last:
            self._next()
        else:
            self._schedule()  # what else arrives in this round of the loop goes along
        return answer

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._due)

    def _due(self) -> None:
        self._scheduled = False
        self._next()

    def _next(self) -> None:
        if self._running or not self._queue:
            return
        batch = self._take()
        rows = sum(waiting.rows for waiting in batch)
        if rows * self._row_seconds < INLINE:
            if batch:
                self._deliver(batch, rows, *_run(self.model, _columns(batch)))
            if self._queue:
                self._schedule()
        else:
            self._running = True
            running = self._loop.run_in_executor(self._pool, _run, self.model, _columns(batch))
            running.add_done_callback(lambda done: self._finished(batch, rows, done.result()))

    def _finished(self, batch: list[Waiting], rows: int, result: "tuple[Arrays | Exception, float]") -> None:
        self._running = False
        self._deliver(batch, rows, *result)
        self._next()

    def _take(self) -> list[Waiting]:
        """As many requests as one run takes; those that are late or were given up are answered or dropped here."""
        batch: list[Waiting] = []
        rows, now = 0, time.monotonic()
        while self._queue and (not batch or rows + self._queue[0].rows <= self._serving.batch_rows):
            waiting = self._queue.popleft()
            if waiting.answer.done() or waiting.deadline < now:
                self.rows -= waiting.rows
                if not waiting.answer.done():
                    waiting.answer.set_exception(LateError())
                continue
            batch.append(waiting)
            rows += waiting.rows
        return batch

    def _deliver(self, batch: list[Waiting], rows: int, answers: "Arrays | Exception", seconds: float) -> None:
        self.rows -= rows
        if isinstance(answers, Exception):
            self._fail(batch, answers)
            return
        self._learn(rows, seconds)
        first = 0
        for waiting in batch:
            if not waiting.answer.done():
                waiting.answer.set_result(answers if len(batch) == 1 else _part(answers, first, waiting.rows))
            first += waiting.rows

    def _learn(self, rows: int, seconds: float) -> None:
        self._row_seconds += 0.1 * (seconds / rows - self._row_seconds)
        self._ran(rows, seconds)

    def _fail(self, batch: list[Waiting], error: Exception) -> None:
        """A request that breaks a run must not take others with it: each is run again by itself."""
        if len(batch) == 1:
            if not batch[0].answer.done():
                batch[0].answer.set_exception(BrokenError(str(error)))
            return
        for waiting in batch:
            self.rows += waiting.rows
            self._deliver([waiting], waiting.rows, *_run(self.model, [waiting.columns]))


def _run(model: LiveModel, parts: Sequence[Columns]) -> "tuple[Arrays | Exception, float]":
    """The answers, or onnxruntime's error (which has no base but Exception), and the seconds it took."""
    started = time.perf_counter()
    try:
        answers: Arrays | Exception = model.run(joined(parts).arrays())
    except Exception as error:  # noqa: BLE001 handed to who waits for it
        answers = error
    return answers, time.perf_counter() - started


def _columns(batch: list[Waiting]) -> list[Columns]:
    return [waiting.columns for waiting in batch]


def _part(answers: Arrays, first: int, rows: int) -> Arrays:
    return {name: column[first : first + rows] for name, column in answers.items()}
