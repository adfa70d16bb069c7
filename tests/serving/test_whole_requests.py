"""Inference requests take a shorter way than ASGI's where they are there whole: on the wire nobody sees which."""

import gzip
import json
import socket
import threading
import time
from typing import Any

import pytest

from tests.serving.running import Server
from tests.serving.test_odd_requests import connected

PATH = "/v2/models/delays/infer"
ROW = {"inputs": [{"name": "miles", "shape": [1, 1], "datatype": "FP32", "data": [100.0]}]}
GOOD = json.dumps(ROW).encode()


def raw(body: bytes = GOOD, path: str = PATH, headers: str = "", version: str = "1.1", method: str = "POST") -> bytes:
    """A request's bytes."""
    return f"{method} {path} HTTP/{version}\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Answers:
    """What comes over a connection, answer by answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def next(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body."""
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        return status, headers, self._file.read(int(headers.get("content-length", 0)))

    @property
    def ended(self) -> bool:
        """Whether the server closed the connection."""
        return self._file.read(1) == b""


def comparable(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], Any]:
    """Without what differs between any two answers."""
    status, headers, body = answer
    said = json.loads(body)
    said.get("parameters", {}).pop("row_ids", None)
    return status, headers | {"content-length": ""}, said


@pytest.mark.parametrize(
    "request_",
    [
        raw(),
        raw(json.dumps({**ROW, "id": "a"}).encode()),
        raw(gzip.compress(GOOD), headers="Content-Encoding: gzip\r\n"),
        raw(gzip.compress(GOOD)[:9], headers="Content-Encoding: gzip\r\n"),
        raw(b"{"),
        raw(GOOD.replace(b"miles", b"smiles")),
        raw(GOOD, headers="Inference-Header-Content-Length: soon\r\n"),
        raw(GOOD, path="/v2/models/none/infer"),
        raw(GOOD, path="/v2/models/delays/versions/none/infer"),
        raw(GOOD, path="/v2/models/delays/too/deep/infer"),
        raw(GOOD, path="/elsewhere/infer"),
        raw(GOOD, method="PUT"),
        raw(GOOD, headers="Connection: close\r\n"),
        raw(GOOD, version="1.0"),
    ],
)
def test_both_ways_give_the_same_answer(server: Server, request_: bytes) -> None:
    found = []
    for cut in (len(request_), -3):  # in two pieces it is not there whole when it begins
        with connected(server) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request_[:cut])
            if request_[cut:]:
                time.sleep(0.1)
                connection.sendall(request_[cut:])
            answers = Answers(connection)
            found.append(comparable(answers.next()))
            if b"close" in request_ or b"HTTP/1.0" in request_:
                assert found[-1][1]["connection"] == "close" and answers.ended
    assert found[0] == found[1]


def test_requests_in_one_piece_are_answered_in_their_order(server: Server) -> None:
    bodies = [json.dumps({**ROW, "id": str(number)}).encode() for number in range(20)]
    with connected(server) as connection:
        connection.sendall(b"".join(raw(body) for body in bodies) + raw(b"", "/v2", method="GET"))
        answers = Answers(connection)
        ids = [json.loads(answers.next()[2])["id"] for _ in bodies]
        assert ids == [str(number) for number in range(20)] and answers.next()[0] == 200


def test_who_asks_whether_to_go_on_is_told(server: Server) -> None:
    request = raw(headers="Expect: 100-continue\r\n")
    with connected(server) as connection:
        connection.sendall(request[: -len(GOOD)])
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 Continue\r\n")
        connection.sendall(GOOD)
        assert Answers(connection).next()[0] == 200


def many_rows() -> bytes:
    """A request with an answer of two hundred kilobytes."""
    [tensor] = ROW["inputs"]
    return raw(json.dumps({"inputs": [{**tensor, "shape": [2000, 1], "data": [100.0] * 2000}]}).encode())


def test_clients_that_leave_harm_nobody(server: Server) -> None:
    with connected(server) as leaving:
        leaving.sendall(many_rows() * 3)
    with connected(server) as other:
        other.sendall(raw())
        assert Answers(other).next()[0] == 200
    said = server.stderr.read_text()
    assert "Traceback" not in said, said[-3000:]


def test_who_does_not_read_waits_for_itself_alone(server: Server) -> None:
    """Sixty answers are more than the sockets between hold."""
    name, port = server.host.split(":")
    with socket.socket() as slow, connected(server) as other:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.settimeout(60)
        slow.connect((name, int(port)))
        sending = threading.Thread(target=slow.sendall, args=(many_rows() * 60,))
        sending.start()
        other.sendall(raw() * 3)
        answers = Answers(other)
        assert [answers.next()[0] for _ in range(3)] == [200] * 3
        time.sleep(1)  # until the server's buffers are full
        answers = Answers(slow)
        found = [answers.next() for _ in range(60)]
        sending.join()
    assert {status for status, _, _ in found} == {200}
    assert {len(json.loads(body)["outputs"][0]["data"]) for _, _, body in found} == {2000}
