"""Load over HTTP/1.1 keep-alive connections, and what it costs the server: CPU seconds of its process tree."""

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Load:
    """What came of it. ``latencies`` in seconds, unsorted."""

    requests: int = 0
    failed: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def cpu_us(self) -> float:
        """Server CPU microseconds a request."""
        return self.cpu_seconds / max(1, self.requests) * 1e6

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        """Of the latencies, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def post(host: str, path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """A request's bytes."""
    given = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def get(host: str, path: str) -> bytes:
    """A request's bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def load(
    host: str, request: bytes, clients: int, seconds: float, pid: int, check: Callable[[bytes], bool] | None = None
) -> Load:
    """``clients`` threads send ``request`` again and again; no 200, or a failed ``check``, has failed."""
    name, port = host.split(":")
    end = time.monotonic() + seconds
    parts = [Load() for _ in range(clients)]
    threads = [threading.Thread(target=_client, args=((name, int(port)), request, end, part, check)) for part in parts]
    before, started = tree_cpu(pid), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - started
    return Load(
        requests=sum(part.requests for part in parts),
        failed=sum(part.failed for part in parts),
        seconds=took,
        cpu_seconds=tree_cpu(pid) - before,
        latencies=[latency for part in parts for latency in part.latencies],
    )


def tree_cpu(pid: int) -> float:
    """CPU seconds of a process and of its descendants that are alive, with those of children that they waited for."""
    stats = _stats()
    return sum(sum(map(int, stats[one][11:15])) for one in _tree(pid, stats)) / _TICK


def tree(pid: int) -> list[int]:
    """A process and its descendants that are alive; the process first."""
    return _tree(pid, _stats())


def _stats() -> dict[int, list[str]]:
    """Fields of ``/proc/PID/stat`` behind the name, of every process (proc(5))."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            found[int(place.name)] = place.joinpath("stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # it ended while we looked
            continue
    return found


def _tree(pid: int, stats: dict[int, list[str]]) -> list[int]:
    children: dict[int, list[int]] = {}
    for one, fields in stats.items():
        children.setdefault(int(fields[1]), []).append(one)
    found = [pid] if pid in stats else []
    for one in found:
        found += children.get(one, [])
    return found


def _client(
    address: tuple[str, int], request: bytes, end: float, into: Load, check: Callable[[bytes], bool] | None
) -> None:
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < end:
            begun = time.perf_counter()
            connection.sendall(request)
            status, body = _answer(connection)
            into.latencies.append(time.perf_counter() - begun)
            into.requests += 1
            if status != 200 or (check is not None and not check(body)):
                into.failed += 1


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of one answer with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("the server closed the connection")
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return int(head[9:12]), body
