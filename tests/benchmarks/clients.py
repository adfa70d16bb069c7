"""Many keep-alive connections in one thread: cheap enough that the server is what gets busy, not its clients."""

import os
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.load import Load

SILENT = 60.0  # seconds without any answer: the server hangs


@dataclass(slots=True)
class Connection:
    """One client: it has one request under way at a time."""

    socket: socket.socket
    number: int = -1
    begun: float = 0.0
    data: bytearray = field(default_factory=bytearray)

    def send(self, number: int, request: bytes) -> None:
        """Send the request ``number``, of which nothing is known but its answer."""
        self.number, self.begun = number, time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> tuple[int, bytes] | None:
        """Status and body, once they are whole; raises ConnectionError where the server is gone."""
        more = self.socket.recv(262_144)
        if not more:
            raise ConnectionError("the server closed the connection")
        self.data += more
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.data[:end]).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(self.data) < end + 4 + length:
            return None
        body = bytes(self.data[end + 4 :])
        self.data.clear()
        return int(head[9:12]), body


def drive(
    host: str, connections: int, request: Callable[[int], bytes], going: Callable[[int], bool],
    right: Callable[[int, int, bytes], bool],
) -> Load:  # fmt: skip
    """Each connection sends ``request(number)`` again and again while ``going(number)``.

    What is not ``right(number, status, body)`` has failed, and so has a request whose connection broke; that connection
    is not made again. CPU seconds are for who calls to fill in.
    """
    done, number, started = Load(), 0, time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for each in [_connected(host) for _ in range(connections)]:
            selector.register(each.socket, selectors.EVENT_READ, each)
            number = _again(selector, each, number, request, going, done)
        while selector.get_map():
            ready = selector.select(SILENT)
            if not ready:
                raise TimeoutError(f"{host} has not answered anybody for {SILENT:g} seconds")
            for key, _ in ready:
                one: Connection = key.data
                try:
                    answer = one.answer()
                except OSError:
                    _gone(selector, one, done)
                    continue
                if answer is None:
                    continue
                done.latencies.append(time.perf_counter() - one.begun)
                done.requests += 1
                done.failed += not right(one.number, *answer)
                number = _again(selector, one, number, request, going, done)
    done.seconds = time.perf_counter() - started
    return done


def rss_mb(pid: int) -> float:
    """Resident memory of a process, in megabytes of 10^6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ProcessLookupError(pid)


@contextmanager
def apart(*pids: int) -> Iterator[None]:
    """Servers on one core and this process on another, while the block runs."""
    own = os.sched_getaffinity(0)
    cores = sorted(own)
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {cores[0]})
    os.sched_setaffinity(0, {cores[-1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def _connected(host: str) -> Connection:
    name, port = host.rsplit(":", 1)
    made = socket.create_connection((name, int(port)))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Connection(made)


def _again(
    selector: selectors.BaseSelector, one: Connection, number: int, request: Callable[[int], bytes],
    going: Callable[[int], bool], done: Load,
) -> int:  # fmt: skip
    """The next request on this connection, or its end; the number that comes then."""
    if not going(number):
        selector.unregister(one.socket)
        one.socket.close()
        return number
    try:
        one.send(number, request(number))
    except OSError:
        _gone(selector, one, done)
    return number + 1


def _gone(selector: selectors.BaseSelector, one: Connection, done: Load) -> None:
    selector.unregister(one.socket)
    one.socket.close()
    done.requests += 1
    done.failed += 1
