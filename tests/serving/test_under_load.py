"""Short forms of the benchmarks swap, crash and fuzz: each must find nothing, and be able to find something."""

import json
from pathlib import Path

import pytest

from dagster_project.domain.workspace import Workspace
from tests.benchmarks import bench_crash, bench_swap
from tests.benchmarks.bench_fuzz import answers_rightly, complaints, raw_bytes, serving, slow_senders
from tests.benchmarks.clients import rss_mb
from tests.serving import served


@pytest.mark.slow
def test_no_request_fails_while_the_model_is_swapped() -> None:
    swapping, load, figures = bench_swap.swapped(3000, 8)
    assert (load.failed, swapping.mismatches) == (0, [])
    assert load.requests >= 3000 and swapping.done == figures["swaps"] == 8


def test_an_answer_of_another_version_would_be_seen(tmp_path: Path) -> None:
    swapping = bench_swap.Swapping(Workspace(repo=tmp_path), requests=10, swaps=1)
    swapping.publish(0)
    swapping.publish(1)
    (first, second) = (version.onnx for version in swapping._versions)

    def body(onnx: str, late: float) -> bytes:
        outputs = [{"name": "label", "data": [True]}, {"name": "probabilities", "data": [1 - late, late]}]
        version = onnx.removeprefix("sha256:")[:12]
        return json.dumps({"model_version": version, "parameters": {"onnx": onnx}, "outputs": outputs}).encode()

    said = served.late(7, 0.0, "UA", 0.0), served.late(7, 0.0, "UA", bench_swap.STEP)
    assert swapping.right(7, 200, body(first, said[0])) and swapping.right(7, 200, body(second, said[1]))
    assert not swapping.right(7, 200, body(first, said[1])) and not swapping.right(8, 200, body(second, said[1]))
    assert not swapping.right(7, 429, b"") and len(swapping.mismatches) == 3


@pytest.mark.slow
def test_a_killed_server_loses_what_is_younger_than_a_flush_and_nothing_is_twice(tmp_path: Path) -> None:
    workspace = bench_crash.publish(tmp_path)
    killed = [bench_crash.kill(workspace, seconds) for seconds in (1.7, 2.2)]
    kept = bench_crash.compare(workspace, killed)
    assert kept.answered > 500 and kept.rows > 0
    assert (kept.missing, kept.differing, kept.twice) == (0, 0, 0), kept
    assert kept.unknown <= len(killed) * bench_crash.CLIENTS
    assert max(mb for each in killed for mb in each.rss) < bench_crash.RSS_MB


@pytest.mark.slow
def test_hostile_bytes_and_slow_senders_break_nothing() -> None:
    with serving() as server:
        raw = raw_bytes(server, 600, seed=1)
        assert raw.wrong == [] and raw.sent == 600
        assert raw.statuses[200] > 20 and raw.statuses[400] > 100, raw.statuses
        assert slow_senders(server, 50) < 2
        assert complaints(server)[0] == [] and answers_rightly(server)
        assert rss_mb(server.process.pid) < bench_crash.RSS_MB
