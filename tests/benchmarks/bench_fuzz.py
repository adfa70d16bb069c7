"""Requests that are wrong in every way: what is wrong is refused, and the server is as well as before.

Schemathesis goes through the OpenAPI document, with what fits it and what does not; then come raw bytes
(raw_requests.py) and senders that are slow or that leave. Each of these fails: a 5xx, an error in the server's log, a
server that ended, that doesn't answer others meanwhile, or that keeps the memory.
"""

import itertools
import json
import os
import random
import re
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore
from tests.benchmarks.clients import rss_mb
from tests.benchmarks.raw_requests import INFER, request
from tests.environments import environment
from tests.serving import served
from tests.serving.running import Server, running

SCHEMATHESIS = "schemathesis==4.32.5"
# A contract asks for more than a schema says (as many values as the shape has), so these two say little.
BESIDE = "positive_data_acceptance,negative_data_rejection"
GROWTH_MB = 40.0
PATIENCE = 2.0
SILENCE = 0.05
SLOW_SENDERS = 200
_LEFT = re.compile(r"RuntimeError: unable to perform operation on <TCPTransport closed=True .*the handler is closed")
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Raw:
    """What came of raw requests: how often each status was answered, none (closed or silent) is 0."""

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def run() -> dict[str, Any]:
    """Some minutes; BENCH_EXAMPLES (of each operation), BENCH_RAW and BENCH_SEED change what is sent."""
    examples, count = int(os.environ.get("BENCH_EXAMPLES", "300")), int(os.environ.get("BENCH_RAW", "20000"))
    seed = int(os.environ.get("BENCH_SEED", "0"))
    with serving() as server:
        before = rss_mb(server.process.pid)
        described = schemathesis(server, examples, seed)
        raw = raw_bytes(server, count, seed)
        slow = slow_senders(server, SLOW_SENDERS)
        left, unread = complaints(server)
        after = rss_mb(server.process.pid)
        answers = answers_rightly(server)
    broken = sum(count for status, count in raw.statuses.items() if status >= 500)
    wrong = [*described["failures"], *raw.wrong, *left]
    return {
        "what": f"schemathesis, {examples} examples an operation; {count:,} raw requests; {SLOW_SENDERS} slow senders",
        "figures": {
            "schemathesis": described,
            "raw requests": dict(raw.kinds),
            "raw answers by status, 0 is none": dict(sorted(raw.statuses.items())),
            "raw 5xx": broken,
            "answered while slow senders sent, s": slow,
            "answers whose client had left, as uvicorn logs it": unread,
            "wrong": wrong[:5],
            "RSS MB before and after": [round(before, 1), round(after, 1)],
        },
        "ratio": broken + described["5xx"],
        "goal": "no 5xx, no crash, right answers afterwards",
        "holds": not wrong and not broken and answers and slow < PATIENCE and after - before < GROWTH_MB,
    }


@contextmanager
def serving() -> Iterator[Server]:
    """The small champion."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(repo=Path(folder))
        store = ArtifactStore(workspace.store)
        served.publish(store, workspace.serving, served.desired(store))
        with running(workspace.repo) as server:
            server.wait()
            yield server


def schemathesis(server: Server, examples: int, seed: int) -> dict[str, Any]:
    """Run it; how many cases, and what failed."""
    program = environment("schemathesis", SCHEMATHESIS).with_name("schemathesis")
    report = server.workspace.repo / "schemathesis.ndjson"
    command = [
        str(program), "run", f"{server.url}/openapi.json", "--checks", "all", "--exclude-checks", BESIDE,
        "--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--seed", str(seed),
        "--continue-on-failure", "--no-color", "--warnings", "off", "--report", "ndjson",
        "--report-ndjson-path", str(report),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=server.workspace.repo)
    statuses, failures = _reported(report)
    return {
        "requests": statuses.total(),
        "answers by status": dict(sorted(statuses.items())),
        "5xx": sum(count for status, count in statuses.items() if status >= 500),
        "failures": failures or ([] if done.returncode == 0 else [done.stdout[-2000:] + done.stderr[-2000:]]),
    }


def _reported(report: Path) -> tuple[Counter[int], list[str]]:
    """Answers by status (0 is none), and the first of each kind of failure with the request that led to it."""
    statuses, failures = Counter[int](), dict[tuple[str, str], str]()
    for line in report.read_text().splitlines():
        scenario = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        asked = scenario.get("interactions", {})
        statuses.update((each.get("response") or {}).get("status_code", 0) for each in asked.values())
        for case, checks in scenario.get("checks", {}).items():
            for failed in (check for check in checks if check["status"] != "success"):
                request = json.dumps(asked.get(case, {}).get("request"))[:500]
                failures.setdefault((scenario["label"], failed["name"]), f"{failed['name']}: {request}")
    return statuses, list(failures.values())


def raw_bytes(server: Server, count: int, seed: int) -> Raw:
    """Raw requests, each on a connection of its own; the server must answer a right one now and then."""
    raw = Raw()
    for number in range(count):
        draw = random.Random(f"{seed}:{number}")
        kind, data = request(draw)
        raw.sent += 1
        raw.kinds[kind] += 1
        said = f"{kind}, seed {seed}:{number}: {data[:200]!r}"
        try:
            found = [int(status) for status in _STATUS.findall(exchange(server, data, draw))]
        except TimeoutError:
            raw.wrong.append(f"{said}: neither answered nor closed")
            continue
        raw.statuses.update(found or [0])
        if any(status >= 500 for status in found):
            raw.wrong.append(f"{said}: {found}")
        if number % 100 == 99 and not answers_rightly(server):
            raw.wrong.append(f"after {kind}, seed {seed}:{number}: no right answer any more")
            break
    return raw


def exchange(server: Server, data: bytes, draw: random.Random) -> bytes:
    """Send it in one to three pieces and read what there is to read.

    Mostly the server is told that nothing more comes; then it must answer or hang up. Raises TimeoutError where it
    does neither.
    """
    name, port = server.host.split(":")
    answer, ends = bytearray(), draw.random() < 0.75
    cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.choice((0, 0, 0, 1, 2))))
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        try:
            for start, end in itertools.pairwise([0, *cuts, len(data)]):
                connection.sendall(data[start:end])
            if ends:
                connection.shutdown(socket.SHUT_WR)
            connection.settimeout(30 if ends else SILENCE)
            while more := connection.recv(65536):
                answer += more
        except TimeoutError:
            if ends:
                raise
        except OSError:
            pass  # it may hang up on such senders
    return bytes(answer)


def slow_senders(server: Server, senders: int) -> float:
    """Half send a head in pieces, half a body byte by byte, all leave; how long the slowest right answer took."""
    name, port = server.host.split(":")
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{".encode()
    slowest = 0.0
    with ExitStack() as stack:
        made = (socket.create_connection((name, int(port)), timeout=10) for _ in range(senders))
        connections = [stack.enter_context(each) for each in made]
        for step in range(20):
            for number, connection in enumerate(connections):
                connection.sendall(head[step * 4 : step * 4 + 4] if number % 2 else head if not step else b" ")
            begun = time.perf_counter()
            assert answers_rightly(server), "no right answer while others send slowly"
            slowest = max(slowest, time.perf_counter() - begun)
    assert answers_rightly(server)
    return round(slowest, 3)


def answers_rightly(server: Server) -> bool:
    """Whether it is alive and a row gets its probability."""
    if server.process.poll() is not None:
        return False
    status, said = server.infer({"miles": [100.0], "seats": [2.0], "carrier": ["UA"]})
    return status == 200 and abs(said["outputs"][1]["data"][1] - served.late(100, 2, "UA")) < 1e-6


def complaints(server: Server) -> tuple[list[str], int]:
    """What the server logged as an error, or printed outside its log; and how often a client had left before.

    uvicorn logs a pipelined client's leaving as an exception of the application: uvloop's "the handler is closed".
    """
    found, unread = [], 0
    for line in server.stderr.read_text().splitlines():
        try:
            level = json.loads(line)["level"]
        except (ValueError, TypeError, KeyError):
            level = "error"
        if level in ("info", "warning"):
            continue
        if _LEFT.search(line):
            unread += 1
        else:
            found.append(line)
    return found, unread
