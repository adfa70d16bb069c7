"""Which machines a lease had, for how long: from pods looked at again and again, else from the job's status. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.lease import Lease, NodeUse, amount_of

Object = dict[str, Any]
NODE_TYPE = "ray.io/node-type"
_DONE = ("Succeeded", "Failed")


class Seen(NamedTuple):
    """A machine at one moment; ``until`` where it has ended. Seconds since 1970."""

    kind: Literal["head", "worker"]
    name: str
    since: float
    until: float | None = None


def seen_pods(pods: Iterable[Object]) -> list[Seen]:
    """Ray's machines among pods. One that waits for a machine has none yet; the submitter is none."""
    return [_seen_pod(pod) for pod in pods if kind_of(pod) and not _waits(pod)]


def seen_status(job: Object | None, cluster: Object | None, now: float) -> list[Seen]:
    """What the objects tell where pods can't be listed: a head since the start, and so many workers ``now``."""
    since = seconds_of((job or {}).get("status", {}).get("startTime"))
    if since is None or cluster is None:
        return []
    workers = cluster.get("status", {}).get("availableWorkerReplicas") or 0
    return [Seen("head", "head", since), *(Seen("worker", f"worker {n}", now) for n in range(1, workers + 1))]


def kind_of(pod: Object) -> Literal["head", "worker"] | None:
    """What KubeRay calls the pod; None: no machine of Ray."""
    kind = pod["metadata"].get("labels", {}).get(NODE_TYPE)
    return kind if kind in ("head", "worker") else None


def seconds_of(time: str | None) -> float | None:
    """Seconds since 1970 of a time as Kubernetes writes it."""
    return None if time is None else datetime.fromisoformat(time).timestamp()


class Meter:
    """Adds up what a lease takes, look by look. A machine's last moment is the look that misses it."""

    def __init__(self, lease: Lease, profile: KubeRayProfile) -> None:
        self._hourly = {"head": profile.head.price, "worker": profile.worker.hourly(lease.compute.capacity)}
        self._gpus = {"head": 0, "worker": profile.worker.gpus}
        self._begun = lease.begun
        self._uses: list[NodeUse] = []
        self._listed: dict[str, int] = {}  # by name: which use; of those in the last look
        self._ended: set[int] = set()

    def look(self, seen: Iterable[Seen], now: float) -> None:
        """Take in what is there ``now``."""
        machines = {machine.name: machine for machine in seen}
        for name in self._listed.keys() - machines.keys():
            self._until(self._listed.pop(name), now)
        for name, machine in machines.items():
            if name not in self._listed:
                self._listed[name] = len(self._uses)
                self._uses.append(self._new(machine, now))
            self._until(self._listed[name], now if machine.until is None else machine.until)
            if machine.until is not None:
                self._ended.add(self._listed[name])

    @property
    def nodes(self) -> tuple[NodeUse, ...]:
        """Every machine so far."""
        return tuple(self._uses)

    @property
    def amount(self) -> float:
        """What they cost so far."""
        return amount_of(self._uses)

    def _until(self, use: int, moment: float) -> None:
        if use not in self._ended:
            self._uses[use] = self._uses[use].model_copy(update={"until": moment})

    def _new(self, machine: Seen, now: float) -> NodeUse:
        return NodeUse(
            kind=machine.kind,
            name=machine.name,
            since=min(max(machine.since, self._begun), now),
            until=now,
            hourly=self._hourly[machine.kind],
            gpus=self._gpus[machine.kind],
        )


def _seen_pod(pod: Object) -> Seen:
    status = pod.get("status", {})
    since = seconds_of(status.get("startTime") or pod["metadata"]["creationTimestamp"])
    ended = _ended(status) if status.get("phase") in _DONE else None
    return Seen(kind_of(pod) or "worker", pod["metadata"]["name"], since or 0.0, ended)


def _waits(pod: Object) -> bool:
    """Whether the scheduler has found no machine for it so far."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(each["type"] == "PodScheduled" and each["status"] == "False" for each in conditions)


def _ended(status: Object) -> float | None:
    states = [each.get("state", {}).get("terminated") or {} for each in status.get("containerStatuses") or []]
    times = [time for state in states if (time := seconds_of(state.get("finishedAt"))) is not None]
    return max(times, default=None)
