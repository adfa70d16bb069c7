"""Deaths at every stage of a lease, and what each leaves: what the tests assert, and the benchmark prints."""

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.compute import on_kubernetes as stage
from tests.compute.on_kubernetes import Launched, waited
from tests.compute.timeline import works
from tests.kubernetes import pods, processes, shared_memory
from tests.kubernetes.operator import Kubernetes, kuberay
from tests.kubernetes.processes import Process

Kill = Callable[[Launched], None]
PARENT = (sys.executable, "-c", "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)")
"""Whoever starts the launcher and waits for it."""
STARTED, GONE, SETTLING = 300.0, 120.0, 20.0  # seconds, on a machine with much else to do


@dataclass(frozen=True)
class Left:
    """What a death left, once it had settled, ``before`` and ``after`` the reaper.

    ``seconds``: from the death to the last machine's end.
    """

    code: int
    before: tuple[str, ...]
    reaped: str
    after: tuple[str, ...]
    seconds: float
    outcomes: tuple[str, ...]
    shared: tuple[str, ...]
    said: str


def _terminated(launched: Launched) -> None:
    launched.process.send_signal(signal.SIGTERM)


def _killed(launched: Launched) -> None:
    launched.process.kill()


def _head(launched: Launched) -> None:
    stage.head(launched.kubernetes).end()


def _worker(launched: Launched) -> None:
    """All of its processes, as when a spot machine is taken away."""
    raylet = stage.busy_raylet(launched.kubernetes)
    for each in processes.tree(raylet.pid):
        each.end()


def _operator(launched: Launched) -> None:
    launched.kubernetes.operator.alive = False
    launched.process.kill()


def working(kubernetes: Kubernetes) -> bool:
    """Whether a trial runs on a worker."""
    cluster = kubernetes.kubelet.newest()
    return cluster is not None and any(works(node.raylet.pid) for node in cluster.workers())


def initializing(kubernetes: Kubernetes) -> bool:
    """Whether there is a RayCluster whose head is not ready yet."""
    return bool(kubernetes.find("rayclusters"))


DEATHS: dict[str, tuple[Kill, Callable[[Kubernetes], bool]]] = {
    "launcher, SIGTERM": (_terminated, working),
    "launcher, SIGTERM while the head starts": (_terminated, initializing),
    "launcher, SIGKILL": (_killed, working),
    "launcher's parent, SIGKILL": (_killed, working),
    "head, SIGKILL": (_head, working),
    "worker, SIGKILL": (_worker, working),
    "operator and launcher, SIGKILL": (_operator, working),
}
BY_PARENT = "launcher's parent, SIGKILL"
GOES_ON = "worker, SIGKILL"
WITHOUT_OPERATOR = "operator and launcher, SIGKILL"


def died(name: str, folder: Path) -> Left:
    """Start a build, kill somebody, look, reap, look again.

    Raises:
        AssertionError: it did not come so far, or machines did not go.
    """
    kill, when = DEATHS[name]
    shared, repo = shared_memory.left_over(), stage.write(folder, trials=2, epochs=18)
    with kuberay() as kubernetes:
        launched = stage.launch(kubernetes, repo, through=PARENT if name == BY_PARENT else ())
        try:
            waited(lambda: launched.process.poll() is not None or when(kubernetes), STARTED, lambda: launched.said)
            assert launched.process.poll() is None, launched.said
            family = launched.descendants()
            kill(launched)
            began = time.time()
            code = launched.wait(STARTED)
            before = _settled(kubernetes, family)
            reaped = launched.reap()
            waited(lambda: not machines(kubernetes), GONE, lambda: f"{kubernetes.left()} {launched.said}")
            gone = stage.last_gone(kubernetes) - began
            after = _settled(kubernetes, family)
            outcomes = tuple(end.outcome for end in launched.ends)
        finally:
            launched.end()
    lost = tuple(str(each) for each in shared_memory.left_over() - shared)
    return Left(code, before, reaped, after, gone, outcomes, lost, launched.said)


def _settled(kubernetes: Kubernetes, family: list[Process]) -> tuple[str, ...]:
    """What is left once Kubernetes has had time for what it was asked."""
    end = time.monotonic() + SETTLING
    while True:
        left = (*kubernetes.left(), *(f"process {each.pid}" for each in family if each.alive()))
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.2)


def machines(kubernetes: Kubernetes) -> list[str]:
    """Clusters, pods that have not ended, processes and folders: what costs money or room."""
    over = [pod["metadata"]["name"] for pod in kubernetes.find("pods") if pods.phase(pod) in ("Succeeded", "Failed")]
    costly = [line for line in kubernetes.left() if line.startswith(("rayclusters", "pods", "process", "/"))]
    return [line for line in costly if line.removeprefix("pods ") not in over]
