"""A server that is killed under load, again and again, then left under load: what is lost, what is kept, what it takes.

After each kill -9 the next server starts on what the last one left, is asked until it is ready, and takes load while
the segments before it are ingested. In the end every answer that a client got before the last flush interval must be in
the table once, with the contract's id and the probability that this client got; nothing may be there twice.
"""

import os
import random
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.ingest import ingest
from dagster_project.monitoring.log_table import answers
from dagster_project.storage.store import ArtifactStore
from tests.benchmarks.clients import apart, drive, rss_mb
from tests.benchmarks.load import Load, post, tree_cpu
from tests.serving import served
from tests.serving.running import Server, running

CLIENTS = 8
FLUSH = 0.2
READY_SECONDS, RSS_MB, GROWTH = 1.0, 130.0, 0.05
SAMPLE_SECONDS = 10.0


@dataclass(frozen=True)
class Got:
    """An answer as a client saw it."""

    ride: str
    late: float
    at: float


@dataclass
class Kill:
    """One server, from its start to its kill."""

    ready: float
    cpu: float
    rss: tuple[float, float]
    at: float
    got: dict[str, Got]
    failed: int


@dataclass
class Kept:
    """What the table has of what clients got."""

    answered: int = 0
    missing: int = 0
    oldest_lost: float = 0.0
    lost: int = 0
    differing: int = 0
    unknown: int = 0
    twice: int = 0
    rows: int = 0


@dataclass
class Memory:
    """Resident megabytes while a server is under load: (seconds since its start, MB)."""

    samples: list[tuple[float, float]] = field(default_factory=list)
    requests: int = 0
    failed: int = 0
    rate: float = 0.0

    @property
    def growth(self) -> float:
        """From the first minute (of shorter runs: tenth) to the end, as a share."""
        whole = self.samples[-1][0]
        first = next(mb for at, mb in self.samples if at >= min(60.0, whole / 10))
        return self.samples[-1][1] / first - 1


def run() -> dict[str, Any]:
    """Eleven minutes; BENCH_KILLS and BENCH_MINUTES make it shorter."""
    kills, minutes = int(os.environ.get("BENCH_KILLS", "10")), float(os.environ.get("BENCH_MINUTES", "10"))
    with tempfile.TemporaryDirectory() as folder:
        workspace = publish(Path(folder))
        killed = [kill(workspace, seconds) for seconds in _moments(kills)]
        kept = compare(workspace, killed)
        memory = under_load(workspace, minutes * 60)
        ingested = ingest(workspace.serving_log, workspace.warehouse)
    starts = [each.ready for each in killed]
    most = max(mb for each in killed for mb in each.rss)
    peak = max(mb for _, mb in memory.samples)
    holds = {
        "ready in time": max(starts) < READY_SECONDS,
        "small": max(most, peak) < RSS_MB,
        "every row kept once": not (kept.missing or kept.differing or kept.twice) and kept.unknown <= kills * CLIENTS,
        "no row of the long run lost": ingested.rows == memory.requests and not ingested.dropped and not memory.failed,
        "memory flat": abs(memory.growth) < GROWTH,
    }
    return {
        "what": f"{kills} times kill -9 under load, then {minutes:g} minutes of load",
        "figures": {
            "start to ready s, median and longest": [round(statistics.median(starts), 2), round(max(starts), 2)],
            "CPU s to ready, median": round(statistics.median(each.cpu for each in killed), 2),
            "RSS MB after start and before the kill": [round(statistics.median(x), 1) for x in _rss(killed)],
            "flush s": FLUSH,
            **{name.replace("_", " "): round(value, 3) for name, value in vars(kept).items()},
            "long run": _long(memory),
            "rows ingested after it": ingested.rows,
            "holds": holds,
        },
        "ratio": round(memory.growth, 3),
        "goal": f"ready within {READY_SECONDS:g} s, below {RSS_MB:g} MB, log consistent, memory flat to {GROWTH:.0%}",
        "holds": all(holds.values()),
    }


def publish(folder: Path) -> Workspace:
    """The small champion, with a short flush."""
    workspace = Workspace(repo=folder)
    store = ArtifactStore(workspace.store)
    served.publish(store, workspace.serving, served.desired(store, log={"flush": timedelta(seconds=FLUSH)}))
    return workspace


def kill(workspace: Workspace, seconds: float) -> Kill:
    """A server under load for so long, then kill -9; what was left by the one before is ingested meanwhile."""
    started, got = time.perf_counter(), dict[str, Got]()
    with running(workspace.repo) as server:
        server.wait()
        ready, pid = time.perf_counter() - started, server.process.pid
        cpu, before, at = tree_cpu(pid), rss_mb(pid), [0.0, 0.0]
        end = time.perf_counter() + seconds
        middle = end - seconds / 2

        def going(number: int) -> bool:
            now = time.perf_counter()
            if now >= middle and not at[0]:
                at[0] = now
                ingest(workspace.serving_log, workspace.warehouse)
            if now >= end and not at[1]:
                at[1], rss[1] = now, rss_mb(pid)
                server.process.kill()
            return not at[1]

        rss = [before, before]
        load = _load(server, CLIENTS, going, got)
        server.process.wait(timeout=30)
    return Kill(ready, cpu, (rss[0], rss[1]), at[1], got, load.failed)


def compare(workspace: Workspace, killed: list[Kill]) -> Kept:
    """Take the rest in, and look every answer up."""
    ingest(workspace.serving_log, workspace.warehouse)
    columns = answers(workspace.warehouse).select("row_id", "id", "probabilities").collect()
    table = {row_id: (ride, late[1]) for row_id, ride, late in columns.iter_rows()}
    kept = Kept(rows=columns.height, twice=columns.height - len(table))
    for each in killed:
        kept.answered += len(each.got)
        for row_id, got in each.got.items():
            row = table.pop(row_id, None)
            if row is None:
                kept.lost += 1
                kept.oldest_lost = max(kept.oldest_lost, each.at - got.at)
                kept.missing += each.at - got.at > FLUSH
            elif row[0] != got.ride or abs(row[1] - got.late) > 1e-6:
                kept.differing += 1
    kept.unknown = len(table)  # on their way to a client when the server died
    return kept


def under_load(workspace: Workspace, seconds: float) -> Memory:
    """Load without a pause, memory looked at every ten seconds."""
    memory = Memory()
    with running(workspace.repo) as server:
        server.wait()
        pid, started = server.process.pid, time.perf_counter()
        with apart(pid):
            while (passed := time.perf_counter() - started) < seconds:
                end = time.perf_counter() + min(SAMPLE_SECONDS, seconds / 20, seconds - passed)
                load = _load(server, CLIENTS, lambda _, end=end: time.perf_counter() < end, None)
                memory.requests, memory.failed = memory.requests + load.requests, memory.failed + load.failed
                memory.samples.append((time.perf_counter() - started, rss_mb(pid)))
        memory.rate = memory.requests / memory.samples[-1][0]
    return memory


def _load(server: Server, clients: int, going: Any, got: dict[str, Got] | None) -> Load:
    def request(number: int) -> bytes:
        inputs = [
            {"name": "miles", "shape": [1, 1], "datatype": "FP32", "data": [number % 100]},
            {"name": "ride", "shape": [1, 1], "datatype": "BYTES", "data": [f"{server.process.pid}-{number}"]},
        ]
        return post(server.host, "/v2/models/delays/infer", msgspec.json.encode({"inputs": inputs}))

    def right(number: int, status: int, body: bytes) -> bool:
        if status == 200 and got is not None:
            said = msgspec.json.decode(body)
            (row_id,), late = said["parameters"]["row_ids"], said["outputs"][1]["data"][1]
            got[row_id] = Got(f"{server.process.pid}-{number}", late, time.perf_counter())
        return status == 200

    return drive(server.host, clients, request, going, right)


def _moments(kills: int) -> list[float]:
    """Seconds of load before each kill: anywhere between two flushes, some soon after the start."""
    drawn = random.Random(0)
    return [drawn.uniform(2 * FLUSH, 10 * FLUSH) for _ in range(kills)]


def _rss(killed: list[Kill]) -> list[list[float]]:
    return [[each.rss[0] for each in killed], [each.rss[1] for each in killed]]


def _long(memory: Memory) -> dict[str, Any]:
    whole = memory.samples[-1][0]
    at = [next(mb for since, mb in memory.samples if since >= whole * share) for share in (0.1, 0.25, 0.5, 0.75, 1.0)]
    return {
        "requests": memory.requests,
        "requests a second": round(memory.rate),
        "failed": memory.failed,
        "RSS MB at 10, 25, 50, 75, 100 %": [round(mb, 1) for mb in at],
        "growth": round(memory.growth, 3),
    }
