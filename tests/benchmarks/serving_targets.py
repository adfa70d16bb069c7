"""What is asked of which server: our own with its champions, and each peer with the same ONNX files."""

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore
from tests.benchmarks.clients import drive
from tests.benchmarks.load import Load, post, tree_cpu
from tests.benchmarks.serving_champions import Served, flights, wide
from tests.benchmarks.serving_servers import Peer, ask, binary, serving, v2, v2_chances
from tests.serving.running import Server, running
from tests.serving.served import publish

FOREST, LOGISTIC, WIDE, BINARY = "flights, forest", "flights, logistic regression", "30 columns", "100 x 30 binary"
CLIENTS, SECONDS = 16, 1.5
TOLERANCE = 1e-5


@dataclass
class Target:
    """One request to one server, and what each round of it came to."""

    host: str
    pid: int
    request: bytes
    rounds: list[Load] = field(default_factory=list)

    def measure(self, seconds: float = SECONDS) -> Load:
        """One round: requests without a pause on every connection."""
        before, end = tree_cpu(self.pid), time.monotonic() + seconds
        done = drive(
            self.host, CLIENTS, lambda _: self.request, lambda _: time.monotonic() < end,
            lambda _, status, body: status == 200,
        )  # fmt: skip
        done.cpu_seconds = tree_cpu(self.pid) - before
        return done

    @property
    def cpu_us(self) -> float:
        """The middle round's microseconds a request."""
        return statistics.median(load.cpu_us for load in self.rounds)


@dataclass(frozen=True)
class Own:
    """Our server, its champions by name, and what it is asked."""

    server: Server
    champions: dict[str, Served]
    targets: dict[str, Target]

    def chances(self, name: str) -> np.ndarray:
        """Its probabilities for the champion's first row."""
        served = self.champions[name]
        found: np.ndarray = v2_chances(ask(self.server.host, _path(served), _body(served)))
        return found


@contextmanager
def ours(folder: Path) -> Iterator[Own]:
    """A server of its own workspace, with the settings that ``acts serve`` has."""
    workspace = Workspace(repo=folder)
    folder.mkdir()
    store = ArtifactStore(workspace.store)
    made = flights(store)
    champions = {FOREST: made["forest"], LOGISTIC: made["logistic"], WIDE: wide(store)}
    publish(store, workspace.serving, *(served.desired for served in champions.values()))
    with running(folder, "--poll", "1") as server:
        server.wait()
        host, pid = server.host, server.process.pid
        targets = {name: Target(host, pid, post(host, _path(one), _body(one))) for name, one in champions.items()}
        body, length = binary(champions[WIDE].rows)
        sent = {"Inference-Header-Content-Length": str(length), "Content-Type": "application/octet-stream"}
        targets[BINARY] = Target(host, pid, post(host, _path(champions[WIDE]), body, sent))
        yield Own(server, champions, targets)


@contextmanager
def theirs(peer: Peer, python: Path, served: Served, expected: np.ndarray, folder: Path) -> Iterator[Target]:
    """A peer that serves the champion, once it has given our answer.

    Raises:
        RuntimeError: it doesn't start, or answers something else.
    """
    model = folder.with_suffix(".onnx")
    model.write_bytes(served.onnx)
    body = json.dumps(peer.body(served.first)).encode()
    with serving(python, peer.program, str(model), peer.ready, folder, peer.tuned) as (host, pid):
        found = np.reshape(peer.chances(ask(host, peer.path, body)), expected.shape)
        if not np.allclose(found, expected, rtol=0, atol=TOLERANCE):
            raise RuntimeError(f"{peer.name} answers {found.tolist()}, we {expected.tolist()}")
        yield Target(host, pid, post(host, peer.path, body))


def _path(served: Served) -> str:
    return f"/v2/models/{served.desired.name}/infer"


def _body(served: Served) -> bytes:
    return json.dumps(v2(served.first)).encode()
