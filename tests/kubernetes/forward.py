"""A port of loopback that leads to whatever runs now: what a port-forward or an ingress is to a head's dashboard."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Target = Callable[[], tuple[str, int] | None]


@contextmanager
def forward(target: Target) -> Iterator[str]:
    """``http://127.0.0.1:PORT``; connections are cut while there is no target."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            where = target()
            with suppress(OSError):
                if where:
                    with socket.create_connection(where, 10) as other:
                        other.settimeout(None)
                        _both(self.request, other)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


def _both(one: socket.socket, other: socket.socket) -> None:
    back = threading.Thread(target=_copy, args=(other, one), daemon=True)
    back.start()
    _copy(one, other)
    back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
