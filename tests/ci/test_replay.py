"""The client that lives through the year again: what it asks for, and when it tells what became of it."""

import json
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import polars as pl
import pytest

from ci.demo.replay import Replay, known_at
from ci.demo.server import call
from dagster_project.domain.errors import MachineryError

FIRST = date(2013, 6, 1)
MORNING = datetime(2013, 6, 1, 6)


class Told(HTTPServer):
    """Keeps what it was sent, by path; refuses what is named ``odd``."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Told

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.sent.append((self.path, body))
        answer = b'{"error": "no such model"}' if "odd" in self.path else b"{}"
        self.send_response(404 if "odd" in self.path else 200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[Told]:
    with Told() as told:
        thread = threading.Thread(target=told.serve_forever)
        thread.start()
        yield told
        told.shutdown()
        thread.join()


def flights() -> pl.DataFrame:
    """One that is known the same day, one a day later, one never, and one of the next day."""
    minutes = timedelta(minutes=1)
    return pl.DataFrame(
        {
            "departure_id": ["soon", "later", "cancelled", "next"],
            "scheduled_departure": [MORNING, MORNING + 17 * 60 * minutes, MORNING, MORNING + timedelta(days=1)],
            "late": [False, True, None, True],
            "departure_delay": [-5.0, 80.0, None, 10.0],
            "air_time": [60.0, 200.0, None, 90.0],
            "carrier": ["UA", "DL", None, "UA"],
            "temp": [60.5, None, 61.0, 70.0],
        }
    )


def replay(server: Told, model: str = "late_arrival") -> Replay:
    host, port = server.server_address[:2]
    return Replay(f"http://{host!s}:{port}", model, {"carrier": "BYTES", "temp": "FP32"}, flights())


def labels(server: Told) -> list[list[tuple[str, bool]]]:
    return [
        [(label["id"], label["label"]) for label in body["labels"]]
        for path, body in server.sent
        if path.endswith("/labels")
    ]


def test_a_day_is_asked_about_with_ids_and_event_times(server: Told) -> None:
    assert replay(server).play(FIRST) == (3, 1)
    path, body = server.sent[0]
    assert path == "/v2/models/late_arrival/infer"
    sent = {tensor["name"]: tensor["data"] for tensor in body["inputs"]}
    assert sent["departure_id"] == ["soon", "later", "cancelled"]
    assert sent["scheduled_departure"][0] == "2013-06-01T06:00:00Z"
    assert sent["carrier"][2] is None and sent["temp"][1] is None
    assert "late" not in sent and "air_time" not in sent


def test_labels_are_sent_once_and_only_when_they_are_known(server: Told) -> None:
    played = replay(server)
    assert [played.play(FIRST + timedelta(days=day)) for day in range(4)] == [(3, 1), (1, 1), (0, 1), (0, 0)]
    assert labels(server) == [[("soon", False)], [("next", True)], [("later", True)]]


def test_what_was_long_on_its_way_is_known_later(server: Told) -> None:
    soon, late, _, _ = flights().iter_rows(named=True)
    assert known_at(soon) - soon["scheduled_departure"] == timedelta(minutes=6 * 55)
    assert known_at(late) - late["scheduled_departure"] == timedelta(minutes=6 * 280)


def test_a_server_that_refuses_is_named(server: Told) -> None:
    with pytest.raises(MachineryError, match=r"odd/infer: 404: .*no such model"):
        replay(server, "odd").play(FIRST)
    with pytest.raises(MachineryError, match="does not answer"):
        call("http://127.0.0.1:9/v2")
