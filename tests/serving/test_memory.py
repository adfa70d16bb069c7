"""What a large request needed is given back when it is over."""

import gzip
from pathlib import Path

from dagster_project.storage.store import ArtifactStore
from tests.benchmarks.clients import rss_mb
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
        assert rss_mb(server.process.pid) - before < 20
