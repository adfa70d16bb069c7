"""uvicorn in a thread, on a free loopback port."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


class _Protocol(H11Protocol):
    """Hands the connection to the application, which may cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


@contextmanager
def serving(application: ASGIApp) -> Iterator[str]:
    """Its address, while it runs.

    Raises:
        RuntimeError: it didn't start within ten seconds.
    """
    options: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "http": _Protocol, "loop": "asyncio", "ws": "none"}
    server = uvicorn.Server(
        uvicorn.Config(application, log_config=None, lifespan="off", timeout_graceful_shutdown=1, **options)
    )
    thread = threading.Thread(target=server.run, name="github-double", daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > end or not thread.is_alive():
            raise RuntimeError("the double did not start")
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
