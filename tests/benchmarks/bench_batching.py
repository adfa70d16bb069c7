"""Zero-wait batching of a network with a million parameters, against the same server without it.

Without it twice: ``batch_rows: 1`` in the spec, which still queues, and a server whose every request is a run at once
(unbatched_server.py), which has no queue that could cost anything. Both goals hold against both. Servers have one core,
clients another; rounds take turns, and medians count, by the clock and by the server's CPU seconds.
"""

import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore
from tests.benchmarks import network
from tests.benchmarks.clients import apart, drive
from tests.benchmarks.load import Load, post, tree_cpu
from tests.serving import served
from tests.serving.running import Server, running

_CLIENTS = MANY, ONE = 32, 1
GAIN, LOSS = 1.4, 0.10
BATCHED = "batched"
WITHOUT = {"batch_rows 1": {"batch_rows": 1}, "no queue": {}}
PROGRAMS = {"no queue": "tests.benchmarks.unbatched_server"}


def run() -> dict[str, Any]:
    """Some two minutes; BENCH_ROUNDS and BENCH_SECONDS make it shorter or longer."""
    rounds, seconds = int(os.environ.get("BENCH_ROUNDS", "9")), float(os.environ.get("BENCH_SECONDS", "2"))
    with ExitStack() as stack:
        servers = {name: stack.enter_context(_server(name)) for name in (BATCHED, *WITHOUT)}
        with apart(*(server.process.pid for server in servers.values())):
            loads = _rounds(servers, rounds, seconds)
        rows = _rows_a_run(servers[BATCHED])
    figures = {f"{clients} clients": {name: _figures(loads[clients, name]) for name in servers} for clients in _CLIENTS}
    gains = {name: _gains(loads[MANY, BATCHED], loads[MANY, name]) for name in WITHOUT}
    losses = {name: _losses(loads[ONE, BATCHED], loads[ONE, name]) for name in WITHOUT}
    failed = sum(load.failed for each in loads.values() for load in each)
    gain = min(value for each in gains.values() for value in each.values())
    loss = max(value for each in losses.values() for value in each.values())
    return {
        "what": "1,000,000 parameters, a row of 30 numbers a request as JSON: batched what is queued, and not",
        "figures": {
            **figures,
            "rows a run, all rounds": rows,
            f"gain at {MANY} clients": gains,
            f"loss at {ONE} client": losses,
            "failed requests": failed,
        },
        "ratio": round(gain, 2),
        "goal": f"at least {GAIN} times the throughput at {MANY} clients, at most {LOSS:.0%} lost at {ONE}",
        "holds": gain >= GAIN and loss <= LOSS and not failed,
    }


@contextmanager
def _server(name: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(repo=Path(folder))
        store = ArtifactStore(workspace.store)
        served.publish(store, workspace.serving, network.desired(store, **WITHOUT.get(name, {})))
        with running(workspace.repo, module=PROGRAMS.get(name, "dagster_project.serving")) as server:
            server.wait()
            yield server


def _rounds(servers: dict[str, Server], rounds: int, seconds: float) -> dict[tuple[int, str], list[Load]]:
    loads: dict[tuple[int, str], list[Load]] = {}
    for turn in range(rounds):
        order = list(servers)[turn % len(servers) :] + list(servers)[: turn % len(servers)]
        for clients in _CLIENTS:
            for name in order:
                loads.setdefault((clients, name), []).append(_load(servers[name], clients, seconds))
    return loads


def _load(server: Server, clients: int, seconds: float) -> Load:
    inputs = [{"name": "x", "shape": [1, network.WIDTH], "datatype": "FP32", "data": network.ROW}]
    request = post(server.host, f"/v2/models/{network.NAME}/infer", json.dumps({"inputs": inputs}).encode())
    end, before = time.monotonic() + seconds, tree_cpu(server.process.pid)
    made = drive(
        server.host, clients, lambda _: request, lambda _: time.monotonic() < end, lambda _, code, body: code == 200
    )
    made.cpu_seconds = tree_cpu(server.process.pid) - before
    return made


def _figures(loads: list[Load]) -> dict[str, float]:
    return {
        "requests a second": round(statistics.median(load.rate for load in loads)),
        "CPU us": round(statistics.median(load.cpu_us for load in loads), 1),
        "p50 ms": round(statistics.median(load.percentile(0.5) for load in loads), 2),
        "p99 ms": round(statistics.median(load.percentile(0.99) for load in loads), 2),
    }


def _gains(batched: list[Load], without: list[Load]) -> dict[str, float]:
    """How many times the throughput, pair by pair: each pair ran within seconds of one another."""
    pairs = list(zip(batched, without, strict=True))
    return {
        "by the clock": round(statistics.median(a.rate / b.rate for a, b in pairs), 2),
        "by CPU": round(statistics.median(b.cpu_us / a.cpu_us for a, b in pairs), 2),
    }


def _losses(batched: list[Load], without: list[Load]) -> dict[str, float]:
    """The share of the throughput that batching costs; below 0 where it costs nothing.

    One client's throughput is one request a latency; the median one doesn't ask who else used the core.
    """
    pairs = list(zip(batched, without, strict=True))
    return {
        "by the clock": round(1 - statistics.median(b.percentile(0.5) / a.percentile(0.5) for a, b in pairs), 3),
        "by CPU": round(1 - statistics.median(b.cpu_us / a.cpu_us for a, b in pairs), 3),
    }


def _rows_a_run(server: Server) -> float:
    text = server.call("/metrics")[1].decode()
    (rows,), (runs,) = (re.findall(rf"acts_batch_rows_{what}{{[^}}]*}} (\S+)", text) for what in ("sum", "count"))
    return round(float(rows) / float(runs), 1)
