"""What a large request needed is given back when it is over, and so is what waited for the disk."""

import gzip
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from dagster_project.storage.store import ArtifactStore
from tests.benchmarks.clients import drive, rss_mb
from tests.benchmarks.load import post
from tests.serving import served
from tests.serving.running import Server, running

INFER = "/v2/models/delays/infer"


def refused(server: Server, megabytes: int) -> None:
    """A body that opens up to so much, and is nested too deep."""
    body = gzip.compress(b"[" * (megabytes * 1_000_000), 1)
    assert server.call(INFER, body, {"content-encoding": "gzip"})[0] == 400


def test_memory_of_large_bodies_is_given_back(place: tuple[Path, ArtifactStore, str]) -> None:
    folder, store, writes = place
    served.publish(store, writes, served.desired(store))
    with running(folder) as server:
        server.wait()
        before = rss_mb(server.process.pid)
        for megabytes in (31, 25, 20, 15):  # the first teaches the C library that such blocks come again
            refused(server, megabytes)
        server.until(lambda: rss_mb(server.process.pid) - before < 10)  # it is answered first, then forgotten


def ask(server: Server, requests: int) -> None:
    """So many rows by eight clients, all of them answered."""
    inputs = [
        {"name": "miles", "shape": [1, 1], "datatype": "FP32", "data": [3]},
        {"name": "ride", "shape": [1, 1], "datatype": "BYTES", "data": ["ride-1234567"]},
    ]
    request = post(server.host, INFER, msgspec.json.encode({"inputs": inputs}))
    load = drive(
        server.host, 8, lambda _: request, lambda number: number < requests, lambda _, status, __: status == 200
    )
    assert (load.requests, load.failed) == (requests, 0)


@pytest.mark.slow
def test_memory_stays_flat_when_the_disk_hangs(place: tuple[Path, ArtifactStore, str]) -> None:
    folder, store, writes = place
    served.publish(store, writes, served.desired(store, log={"flush": timedelta(seconds=0.2)}))
    hangs = folder / "hangs"
    environment = {"HANGS_WHILE": str(hangs)}
    with running(folder, environment=environment, module="tests.serving.hanging_disk") as server:
        server.wait()
        ask(server, 3_000)
        before = rss_mb(server.process.pid)
        for rows in (15_000, 30_000):
            hangs.touch()
            ask(server, rows)
            assert backlog(server) >= rows
            hangs.unlink()
            server.until(lambda: backlog(server) == 0)
            ask(server, 3_000)
        assert rss_mb(server.process.pid) - before < 0.05 * before


def backlog(server: Server) -> int:
    """Rows that are not on the disk yet, as the metrics say."""
    name = 'acts_prediction_log_rows{state="backlog"} '
    lines = server.call("/metrics")[1].decode().splitlines()
    return int(float(next(line for line in lines if line.startswith(name)).removeprefix(name)))
