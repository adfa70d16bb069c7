"""KubeRay's operator, played, and with it a whole Kubernetes: API, garbage collector, nodes, Jobs.

``with kuberay() as kubernetes`` is all of it in this process; the pods are real processes in namespaces of their own.
"""

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.kubernetes import ray_clusters, ray_settings
from tests.kubernetes.double import Double, kubernetes_double
from tests.kubernetes.forward import forward
from tests.kubernetes.kubelet import Kubelet
from tests.kubernetes.ray_jobs import RayJobs
from tests.kubernetes.refusals import Refusal
from tests.kubernetes.submitter import Submitters
from tests.kubernetes.world import Object, World

PAUSE = 0.2  # seconds between looks; KubeRay's are three


@dataclass
class Operator:
    """It acts while ``alive``; set that to False, and nobody watches RayJobs and RayClusters any more."""

    jobs: RayJobs
    world: World
    alive: bool = True

    def step(self) -> None:
        """One look at every object."""
        if self.alive:
            for job in self.world.all("rayjobs", None):
                self.jobs.reconcile(job)
            for cluster in self.world.all("rayclusters", None):
                ray_clusters.reconcile(self.world, cluster)


@dataclass
class Kubernetes:
    """What tests see. ``dashboard``: a port of loopback that leads to the newest cluster's dashboard."""

    double: Double
    operator: Operator
    kubelet: Kubelet
    dashboard: str
    broken: list[str] = field(default_factory=list)

    def left(self) -> list[str]:
        """Objects but for events, and processes and folders of clusters that still are."""
        objects = [f"{key[0]} {key[2]}" for key in list(self.double.world.objects) if key[0] != "events"]
        return objects + [line for cluster in self.kubelet.every for line in cluster.left()]

    def find(self, plural: str) -> list[Object]:
        """All objects of a kind."""
        return self.double.world.all(plural, None)


@contextmanager
def kuberay(pause: float = 1.0, patience: float = 300.0) -> Iterator[Kubernetes]:
    """A Kubernetes with KubeRay. ``pause``: before a submitter tries again; ``patience``: with a silent head.

    Raises:
        AssertionError: at the end, where the double was asked for what it does not play, or broke itself.
    """
    with kubernetes_double() as double, ExitStack() as stack:
        kubelet, submitters = Kubelet(double.world, double.logs), Submitters(double.world, pause)
        operator = Operator(RayJobs(double.world, patience), double.world)
        made = Kubernetes(double, operator, kubelet, stack.enter_context(forward(lambda: _dashboard(kubelet))))
        stack.callback(kubelet.stop)
        stack.callback(submitters.stop)
        for step in (operator.step, kubelet.step, submitters.step, double.world.collect):
            stack.enter_context(_repeated(step, made.broken))
        yield made
    assert not made.broken, made.broken[0]


def _dashboard(kubelet: Kubelet) -> tuple[str, int] | None:
    cluster = kubelet.newest()
    return (cluster.cable.pod, ray_settings.DASHBOARD) if cluster else None


@contextmanager
def _repeated(step: Callable[[], None], broken: list[str]) -> Iterator[None]:
    """Run ``step`` again and again on a thread of its own; what it raises is kept and ends nothing."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(PAUSE):
            try:
                step()
            except Refusal as refusal:
                if refusal.code not in (404, 409):  # it changed while we looked: the next look sees it
                    broken.append(refusal.message)
            except Exception:  # noqa: BLE001 a controller goes on; the test fails at its end
                broken.append(traceback.format_exc())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)
