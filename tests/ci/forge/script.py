"""A server that does what a script says, one line a request: for what a well-behaved double can't do to a client."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ci.forge.connection import Connection
from tests.ci.forge.clock import Clock

TOKEN = "ghs_" + "s3cret" * 6


class Script(ThreadingHTTPServer):
    """``steps`` are statuses, ``(status, headers, body)``, ``drop``, ``half`` or ``hang``; past them all is well."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.steps: list[Any] = []
        self.seen: list[str] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some scripts are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Script

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(f"{self.command} {self.path}")
        step = self.server.steps.pop(0) if self.server.steps else 200
        if step in ("drop", "hang"):
            self.server.release.wait(5 if step == "hang" else 0)
            self.close_connection = True
            return
        status, headers, body = step if isinstance(step, tuple) else (200 if step == "half" else step, {}, {})
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[:1] if step == "half" else data)
        self.close_connection = self.close_connection or step == "half"

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""


@contextmanager
def script() -> Iterator[Script]:
    """The server, in a thread, as long as the block lasts."""
    server = Script()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


def connected(server: Script, clock: Clock, read_timeout: float = 5.0, **changes: float) -> Connection:
    """A connection whose waits take no time."""
    connection = Connection("o/r", TOKEN, server.url, clock.patience(**changes))
    connection.session.default_read_timeout = read_timeout
    return connection
