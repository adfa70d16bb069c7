"""Ray's dashboard as the job client knows it: its version, and a job's lines over a web socket. Token in hand."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

TOKEN = "the cluster's own token"


@dataclass
class Dashboard:
    """``lines`` are sent to whoever follows the job and has the token; ``broken``: it is cut off instead."""

    lines: list[str] = field(default_factory=lambda: ["a line of the program"])
    broken: bool = False
    refused: int = 0
    url: str = ""

    def application(self) -> web.Application:
        """The two routes."""
        made = web.Application()
        made.add_routes([web.get("/api/version", self._version), web.get("/api/jobs/{job}/logs/tail", self._tail)])
        return made

    async def _version(self, request: web.Request) -> web.Response:
        self._admit(request)
        return web.json_response({"version": "4", "ray_version": "2.60.0", "ray_commit": "x"})

    async def _tail(self, request: web.Request) -> web.WebSocketResponse:
        self._admit(request)
        if self.broken:
            raise web.HTTPBadGateway
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("".join(f"{line}\n" for line in self.lines))
        await socket.close()
        return socket

    def _admit(self, request: web.Request) -> None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            self.refused += 1
            raise web.HTTPUnauthorized


@contextmanager
def dashboard() -> Iterator[Dashboard]:
    """It serves on a thread of its own."""
    made, loop, ready = Dashboard(), asyncio.new_event_loop(), threading.Event()

    def serve() -> None:
        runner = web.AppRunner(made.application(), access_log=None)
        loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        loop.run_until_complete(site.start())
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
