"""Requests while the model is swapped: no failed request, and every answer is of the digest that it names.

Every swap brings other bytes, and the bytes decide what is answered: the probability of a row tells the versions apart.
Each request asks for another row, so that an answer which went to the wrong client is seen too.
"""

import math
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore
from tests.benchmarks.clients import apart, drive, rss_mb
from tests.benchmarks.load import Load, post
from tests.serving import served
from tests.serving.running import Server, running

CLIENTS = 16
STEP = 0.01  # of the bonus, from one version to the next: some 0.002 of the probability
TOLERANCE = 1e-4
LONGEST = 20.0  # seconds that a swap may take
ROWS = 100


def run() -> dict[str, Any]:
    """A minute or two; BENCH_REQUESTS and BENCH_SWAPS make it shorter."""
    requests, swaps = int(os.environ.get("BENCH_REQUESTS", "300000")), int(os.environ.get("BENCH_SWAPS", "250"))
    swapping, load, figures = swapped(requests, swaps)
    return {
        "what": f"{requests:,} requests of {CLIENTS} clients while the model is swapped {swaps} times",
        "figures": figures,
        "ratio": load.failed,
        "goal": f"{requests:,} requests, {swaps} swaps, no request failed, no answer other than its digest's",
        "holds": load.requests >= requests and swapping.done == swaps == figures["swaps"] and not load.failed,
    }


@dataclass
class Swapping:
    """Publishes the next version once the last one has answered, spread over all requests."""

    workspace: Workspace
    requests: int
    swaps: int
    done: int = 0
    mismatches: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stuck: bool = False

    def __post_init__(self) -> None:
        store = ArtifactStore(self.workspace.store)
        self._store = store
        self._versions = [served.desired(store, number * STEP) for number in range(self.swaps + 1)]
        self._bonus: dict[str, float] = {}
        self._awaited: str | None = None
        self._since = 0.0

    def publish(self, number: int) -> None:
        """Version ``number`` shall be served."""
        version = self._versions[number]
        self._awaited, self._since = version.onnx, time.perf_counter()
        self._bonus[version.onnx] = number * STEP
        served.publish(self._store, self.workspace.serving, version)

    def going(self, number: int) -> bool:
        """Publish what is due; whether the request ``number`` shall be sent."""
        if self._awaited is None and self.done < self.swaps and number * self.swaps >= self.done * self.requests:
            self.publish(self.done + 1)
        self.stuck |= self._awaited is not None and time.perf_counter() - self._since > LONGEST
        return not self.stuck and (number < self.requests or self.done < self.swaps)

    def right(self, number: int, status: int, body: bytes) -> bool:
        """Whether the answer is what the digest that it names says of this very row."""
        said = msgspec.json.decode(body) if status == 200 else {}
        digest = said.get("parameters", {}).get("onnx", "")
        bonus = self._bonus.get(digest)
        if bonus is None or said["model_version"] != digest.removeprefix("sha256:")[:12]:
            self.mismatches.append(f"request {number}: {status} {body[:200]!r}")
            return False
        if digest == self._awaited:
            self._arrived()
        outputs = {output["name"]: output["data"] for output in said["outputs"]}
        expected = _late(number, bonus)
        same = bool(abs(outputs["probabilities"][1] - expected) < TOLERANCE and outputs["label"] == [expected > 0.5])
        if not same:
            self.mismatches.append(f"request {number}: {outputs} of {digest[:19]}, which says {expected}")
        return same

    def _arrived(self) -> None:
        if len(self._bonus) > 1:  # the first one was not swapped in
            self.seconds.append(time.perf_counter() - self._since)
            self.done += 1
        self._awaited = None


def swapped(requests: int, swaps: int) -> tuple[Swapping, Load, dict[str, Any]]:
    """At least so many requests and so many swaps, on a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        swapping = Swapping(Workspace(repo=Path(folder)), requests, swaps)
        swapping.publish(0)
        with running(Path(folder)) as server:
            server.wait()
            bodies = _bodies(server)
            before = rss_mb(server.process.pid)
            with apart(server.process.pid):
                load = drive(server.host, CLIENTS, lambda n: bodies[n % ROWS], swapping.going, swapping.right)
            figures = _figures(server, swapping, load)
            figures["RSS MB before and after"] = [round(before, 1), round(rss_mb(server.process.pid), 1)]
    return swapping, load, figures


def _bodies(server: Server) -> list[bytes]:
    bodies = []
    for number in range(ROWS):
        rows: dict[str, tuple[str, Any]] = {"miles": ("FP32", _miles(number)), "carrier": ("BYTES", "UA")}
        inputs = [{"name": name, "shape": [1, 1], "datatype": kind, "data": [v]} for name, (kind, v) in rows.items()]
        bodies.append(post(server.host, "/v2/models/delays/infer", msgspec.json.encode({"inputs": inputs})))
    return bodies


def _miles(number: int) -> float:
    return float(number % ROWS)


def _late(number: int, bonus: float) -> float:
    """As ``served.late`` says, at the speed of a load generator."""
    return 1 / (1 + math.exp(-(_miles(number) / 100 + bonus)))


def _figures(server: Server, swapping: Swapping, load: Load) -> dict[str, Any]:
    text = server.call("/metrics")[1].decode()
    (swaps,) = (line.split()[-1] for line in text.splitlines() if line.startswith("acts_swaps_total{"))
    return {
        "requests": load.requests,
        "requests a second": round(load.rate),
        "failed": load.failed,
        "first failures": swapping.mismatches[:3],
        "swaps": int(float(swaps)) - 1,
        "published to answering, median ms": round(1000 * statistics.median(swapping.seconds or [math.nan]), 1),
        "p50, p99, p99.9, longest ms": [round(load.percentile(share), 2) for share in (0.5, 0.99, 0.999, 1.0)],
    }
