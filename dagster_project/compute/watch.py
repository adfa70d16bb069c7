"""Looks at a lease while it runs: adds up what it takes; ends it at its deadline, at its ceiling, or without a head."""

import threading
import time
from collections.abc import Callable

from dagster_project.compute.clusters import Cluster, NotAllowedError
from dagster_project.compute.manifest import job_name
from dagster_project.compute.usage import Meter, Seen, seen_pods, seen_status
from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.lease import HOUR, Lease, NodeUse, Outcome

SECONDS = 3.0
HEADLESS = 180.0  # a head's pod may be made again, or be between two looks


class Watch:
    """A thread from :meth:`start` to :meth:`finish`. ``ended``: what it ended the lease for; None: nothing."""

    def __init__(
        self, cluster: Cluster, lease: Lease, profile: KubeRayProfile, currency: str, warn: Callable[[str], None]
    ) -> None:
        self._cluster, self._lease, self._currency, self._warn = cluster, lease, currency, warn
        self._meter = Meter(lease, profile)
        self._warned: set[str] = set()
        self._headed: float | None = None  # when there last was a head
        self._by_status = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease watch", daemon=True)
        self.ended: tuple[Outcome, str] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def finish(self, patience: float) -> float | None:
        """Look until the last machine is gone, for ``patience`` seconds at most; when that was, None: not seen."""
        self._over.set()
        self._thread.join()
        deadline = time.monotonic() + patience
        while True:
            if self.look() == [] and not self._by_status:
                return time.time()
            if time.monotonic() >= deadline:
                return None
            time.sleep(1.0)

    @property
    def nodes(self) -> tuple[NodeUse, ...]:
        """Machines so far."""
        return self._meter.nodes

    @property
    def exact(self) -> bool:
        """Whether machines were counted by their pods."""
        return not self._by_status

    def look(self) -> list[Seen] | None:
        """One look; None: the cluster told nothing."""
        try:
            seen = self._seen()
        except MachineryError as error:
            self._say(f"lease {self._lease.id}: {error} Its cost is not added up meanwhile.")
            return None
        now = time.time()
        self._meter.look(seen, now)
        if any(machine.kind == "head" and machine.until is None for machine in seen):
            self._headed = now
        return seen

    def _seen(self) -> list[Seen]:
        if not self._by_status:
            try:
                return seen_pods(self._cluster.pods(self._lease.id))
            except NotAllowedError as error:
                self._say(f"lease {self._lease.id}: {error} Machines are counted by the job's status instead.")
                self._by_status = True
        clusters = self._cluster.listed("rayclusters", self._lease.id)
        job = self._cluster.find("rayjobs", job_name(self._lease.id))
        return seen_status(job, clusters[0] if clusters else None, time.time())

    def _run(self) -> None:
        while not self._over.wait(SECONDS):
            self.look()
            reason = reason_to_end(self._lease, self._meter.amount, self._currency, time.time(), self._headed)
            if reason and not self._over.is_set():
                self.ended = reason
                self._delete()

    def _delete(self) -> None:
        """Tried again at the next look where it fails."""
        try:
            self._cluster.delete("rayjobs", job_name(self._lease.id))
        except MachineryError as error:
            self._say(f"lease {self._lease.id}: {error}")

    def _say(self, words: str) -> None:
        if words not in self._warned:
            self._warned.add(words)
            self._warn(words)


def reason_to_end(
    lease: Lease, amount: float, currency: str, now: float, headed: float | None
) -> tuple[Outcome, str] | None:
    """Why a lease that cost ``amount`` has to end ``now``; ``headed``: when its head was last seen, None: never."""
    if lease.ceiling is not None and amount >= lease.ceiling:
        words = f"it has cost {amount:,.2f} {currency} and its ceiling is {lease.ceiling:,.2f} {currency}"
        return "ceiling", f"the cost ceiling was reached: {words}"
    if now >= lease.ends:
        hours = (lease.ends - lease.begun) / HOUR
        return "deadline", f"the deadline was reached: it has run for {hours:.2f} hours at {amount:,.2f} {currency}"
    if headed is not None and now - headed > HEADLESS:
        return "lost", f"its head has been gone for {now - headed:.0f} s"
    return None
