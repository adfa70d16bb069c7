"""An ASGI application whose start-up ends when its models answer: nothing is routed to a server that has none yet."""

import asyncio
import logging
import time
from collections.abc import MutableMapping
from typing import Any

from dagster_project.serving.http import Receive, Scope, Send

PAUSE = 0.05  # seconds between two looks
READY = "/v2/health/ready"
_log = logging.getLogger("acts.serving")


class Warm:
    """``app``, whose start-up waits until it is ready, at most ``seconds``.

    Not longer: one champion that can't be loaded, or a store where nothing was deployed yet, must not keep a server
    from starting. What it doesn't have it refuses as it always does.
    """

    def __init__(self, app: Any, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def delayed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._wait()
            await send(message)

        await self._app(scope, receive, delayed)

    async def _wait(self) -> None:
        end = time.monotonic() + self._seconds
        while not await is_ready(self._app):
            if time.monotonic() >= end:
                _log.warning("not ready after %g seconds; requests are taken all the same", self._seconds)
                return
            await asyncio.sleep(PAUSE)


async def is_ready(app: Any) -> bool:
    """What the application's own readiness says, asked without a network."""
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app({"type": "http", "method": "GET", "path": READY, "headers": []}, receive, send)
    return statuses == [200]
