"""A search on the Kubernetes double, from none to two GPU nodes and back: for the test and the benchmark."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

from dagster_project.compute.watch import SECONDS
from dagster_project.domain.build import BuildResult
from tests.compute.on_kubernetes import launch, waited, worker_history, write
from tests.compute.timeline import Timeline, timeline
from tests.kubernetes import shared_memory
from tests.kubernetes.operator import kuberay

LONGEST = 400.0  # seconds, on a machine with much else to do


@dataclass(frozen=True)
class Searched:
    """What became of it. ``left``: objects, processes and folders at the end; ``shared``: names in shared memory."""

    repo: Path
    seen: Timeline
    code: int
    result: BuildResult | None
    seconds: float
    workers: int
    left: tuple[str, ...]
    shared: tuple[str, ...]
    said: str


def searched(folder: Path) -> Searched:
    """Launch a build. The launcher is held once both nodes are there: nobody but the autoscaler takes them away.

    Raises:
        AssertionError: it did not come so far.
    """
    shared, repo = shared_memory.left_over(), write(folder)
    with kuberay() as kubernetes:
        launched = launch(kubernetes, repo)
        try:
            with timeline(kubernetes) as seen:
                waited(lambda: launched.process.poll() is not None or seen.most == 2, LONGEST, lambda: launched.said)
                time.sleep(SECONDS + 1)  # it counts machines that it sees
                launched.process.send_signal(signal.SIGSTOP)
                waited(lambda: seen.last_gone is not None, LONGEST, lambda: f"{seen.changes}\n{launched.said}")
                launched.process.send_signal(signal.SIGCONT)
            code = launched.wait(LONGEST)
            seconds = time.time() - launched.began
        finally:
            launched.end()
        waited(lambda: kubernetes.left() == [], 60, lambda: str(kubernetes.left()))
        workers = sum(change.what == "created" for change in worker_history(kubernetes))
        left = tuple(kubernetes.left())
    lost = tuple(str(each) for each in shared_memory.left_over() - shared)
    return Searched(repo, seen, code, launched.result, seconds, workers, left, lost, launched.said)
