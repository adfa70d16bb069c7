"""Plays the Job that hands a RayJob's entrypoint over: a thread for each, which tries as often as its Job may.

It goes on when the operator is dead. An attempt submits unless Ray knows the job already, then follows it to its end,
as the command in KubeRay's submitter does; it fails where the job failed, or where Ray could not be reached.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.kubernetes import dashboard, pods
from tests.kubernetes.dashboard import Unreachable
from tests.kubernetes.world import Key, Object, World, key_of, now

POLL = 0.3


@dataclass
class Submitters:
    """All of them. ``pause``: seconds before the second attempt (Kubernetes: ten, then twice as many each time)."""

    world: World
    pause: float = 1.0
    threads: dict[str, threading.Thread] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def step(self) -> None:
        """Begin what nobody has begun, and let pods go that are asked to."""
        for pod in self.world.all("pods", None, lambda found: pods.JOB in (found["metadata"].get("labels") or {})):
            if "deletionTimestamp" in pod["metadata"]:
                self.world.gone(key_of(pod))
        for job in self.world.all("jobs", None):
            if job["metadata"]["uid"] not in self.threads:
                thread = threading.Thread(target=self._play, args=(job,), daemon=True)
                self.threads[job["metadata"]["uid"]] = thread
                thread.start()

    def stop(self) -> None:
        """End all."""
        self._over.set()
        for thread in self.threads.values():
            thread.join(40)

    def _play(self, job: Object) -> None:
        limit = job["spec"]["backoffLimit"]
        for attempt in range(limit + 1):
            if not self._wanted(job):
                return
            if self._attempt(job, attempt):
                self._finish(job, "Complete", "CompletionsReached")
                return
            self._over.wait(self.pause * 2**attempt if attempt < limit else 0)
        self._finish(job, "Failed", "BackoffLimitExceeded")

    def _attempt(self, job: Object, attempt: int) -> bool:
        pod = self.world.create("pods", job["metadata"]["namespace"], pods.submitter_pod(job, attempt))
        self._report(key_of(pod), lambda found: pods.running(found, "", ready=True))
        done = self._followed(job)
        self._report(key_of(pod), lambda found: pods.ended(found, 0 if done else 1))
        return done

    def _followed(self, job: Object) -> bool:
        try:
            self._submitted(job)
            while self._wanted(job):
                ray_job, cluster = self._objects(job)
                status = dashboard.job(self.world, cluster, ray_job["status"]["jobId"])["status"]
                if status in dashboard.TERMINAL:
                    return bool(status == "SUCCEEDED")
                time.sleep(POLL)
        except Unreachable:
            return False
        return False

    def _submitted(self, job: Object) -> None:
        ray_job, cluster = self._objects(job)
        try:
            dashboard.job(self.world, cluster, ray_job["status"]["jobId"])
        except Unreachable:
            dashboard.submit(self.world, cluster, ray_job)

    def _objects(self, job: Object) -> tuple[Object, Object]:
        namespace, owner = job["metadata"]["namespace"], job["metadata"]["ownerReferences"][0]["name"]
        ray_job = self.world.find("rayjobs", namespace, owner)
        name = (ray_job or {}).get("status", {}).get("rayClusterName", "")
        cluster = self.world.find("rayclusters", namespace, name)
        if ray_job is None or cluster is None:
            raise Unreachable(f"{owner} or its cluster is no more")
        return ray_job, cluster

    def _wanted(self, job: Object) -> bool:
        found = self.world.find(*key_of(job))
        return not self._over.is_set() and found is not None and found["metadata"]["uid"] == job["metadata"]["uid"]

    def _finish(self, job: Object, condition: str, reason: str) -> None:
        done = {"type": condition, "status": "True", "reason": reason, "lastTransitionTime": now()}
        if self._wanted(job):
            self._report(key_of(job), lambda found: {**found, "status": {"conditions": [done]}})

    def _report(self, key: Key, change: Callable[[Object], Object]) -> None:
        if self.world.find(*key):
            self.world.update(key, change, part="status")


def finished(job: Object | None) -> str | None:
    """``Complete`` or ``Failed``, once a Job is."""
    conditions = ((job or {}).get("status") or {}).get("conditions", [])
    return next((each["type"] for each in conditions if each["status"] == "True"), None)
