"""The server as it would be without batching: every request is a run of its own, at once and without a queue."""

import asyncio
import sys

from dagster_project.serving import batching
from dagster_project.serving.__main__ import main
from dagster_project.serving.batching import Batcher, Waiting
from dagster_project.serving.columns import Columns
from dagster_project.serving.live import Arrays


def _submit(
    self: Batcher, columns: Columns, rows: int, deadline: float, last: bool = False
) -> "asyncio.Future[Arrays]":
    waiting = Waiting(columns, rows, deadline, self._loop.create_future())
    self.rows += rows
    self._deliver([waiting], rows, *batching._run(self.model, [columns]))
    return waiting.answer


def _at_once(self: Batcher, columns: Columns, rows: int, deadline: float) -> None:
    """Never: what is submitted is run at once anyway."""


if __name__ == "__main__":
    Batcher.at_once = _at_once  # type: ignore[method-assign]
    Batcher.submit = _submit  # type: ignore[method-assign]
    sys.exit(main())
