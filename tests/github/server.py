"""uvicorn in a thread, on a free loopback port. It stops at once: tests start many."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


class _Protocol(H11Protocol):
    """Hands the connection to the application, which may cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Doesn't wait for clients to go."""

    async def main_loop(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for server in self.servers:
            server.close()
            await server.wait_closed()

    def stop(self) -> None:
        """From another thread."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._over.set)


@contextmanager
def serving(application: ASGIApp) -> Iterator[str]:
    """Its address, while it runs.

    Raises:
        RuntimeError: it didn't start within ten seconds.
    """
    options: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "http": _Protocol, "loop": "asyncio", "ws": "none"}
    server = _Server(uvicorn.Config(application, log_config=None, lifespan="off", **options))
    thread = threading.Thread(target=server.run, name="github-double", daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not (server.started and hasattr(server, "_over")):
        if time.monotonic() > end or not thread.is_alive():
            raise RuntimeError("the double did not start")
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.stop()
        thread.join(10)
