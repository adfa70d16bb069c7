"""When the GPU nodes of a cluster came, worked, and went: looked at from outside, at the processes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.kubernetes import processes
from tests.kubernetes.operator import Kubernetes
from tests.looking import looking

LOOK = 0.2
_OWN = ("ray::IDLE", "ray::DashboardAgent", "ray::RuntimeEnvAgent")


@dataclass(frozen=True)
class Look:
    """At one moment (seconds since 1970): raylets with GPUs, and how many of them have a process that works."""

    at: float
    nodes: int
    busy: int


@dataclass
class Timeline:
    """Looks, in order. Times below are None while it has not come to that."""

    looks: list[Look] = field(default_factory=list)

    @property
    def most(self) -> int:
        """Nodes at the same time."""
        return max((look.nodes for look in self.looks), default=0)

    @property
    def work_ended(self) -> float | None:
        """When a node was seen to work for the last time."""
        return max((look.at for look in self.looks if look.busy), default=None)

    @property
    def last_gone(self) -> float | None:
        """When the last node was gone, after there were some."""
        last = max((place for place, look in enumerate(self.looks) if look.nodes), default=None)
        return None if last is None or last + 1 == len(self.looks) else self.looks[last + 1].at

    @property
    def idle(self) -> float:
        """Seconds from the end of work to the last node's.

        Raises:
            AssertionError: it did not come to that.
        """
        assert self.last_gone is not None and self.work_ended is not None, self.changes
        return self.last_gone - self.work_ended

    @property
    def changes(self) -> list[tuple[float, int, int]]:
        """(seconds since the first look, nodes, busy ones), where they changed."""
        found: list[tuple[float, int, int]] = []
        for look in self.looks:
            if not found or found[-1][1:] != (look.nodes, look.busy):
                found.append((round(look.at - self.looks[0].at, 1), look.nodes, look.busy))
        return found


@contextmanager
def timeline(kubernetes: Kubernetes) -> Iterator[Timeline]:
    """Looks at the newest cluster five times a second."""
    seen = Timeline()

    def look() -> None:
        cluster = kubernetes.kubelet.newest()
        raylets = [node.raylet.pid for node in cluster.workers()] if cluster else []
        seen.looks.append(Look(time.time(), len(raylets), sum(works(pid) for pid in raylets)))

    with looking(LOOK, look):
        yield seen


def works(raylet: int) -> bool:
    """Whether a child of a raylet runs a task or holds an actor; Ray's workers say so in their titles."""
    titles = [processes.title(pid) for pid in processes.children(raylet)]
    return any(title.startswith("ray::") and not title.startswith(_OWN) for title in titles)
