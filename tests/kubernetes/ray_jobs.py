"""KubeRay 1.7's controller of RayJobs, played: one step of its state machine at a time.

Written after what KubeRay's documentation and threads say of it; README.md lists where it is known to differ.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.kubernetes import dashboard, ray_clusters
from tests.kubernetes.dashboard import TERMINAL, Unreachable
from tests.kubernetes.ray_job_rules import (
    COUNTED,
    FINALIZER,
    Status,
    cluster_key,
    deployment,
    held,
    invalid,
    let_go,
    never_started,
    past_deadline,
    submitter_key,
    suspending,
)  # fmt: skip
from tests.kubernetes.submitter import finished
from tests.kubernetes.world import Key, Object, World, key_of, now, owned_by, seconds

CRD, NAME = "ray.io/originated-from-crd", "ray.io/originated-from-cr-name"


@dataclass(frozen=True)
class RayJobs:
    """The controller. ``patience``: seconds without an answer from the head before a running job counts as failed."""

    world: World
    patience: float = 300.0

    def reconcile(self, job: Object) -> None:
        """Take one step with a RayJob."""
        if "deletionTimestamp" in job["metadata"]:
            self._let_go(job)
            return
        if FINALIZER not in job["metadata"].get("finalizers", []):
            self._change(job, held)
        old: Status = job.get("status") or {}
        new = self._next(job, dict(old))
        if new != old:
            if new.get("jobDeploymentStatus") in ("Complete", "Failed") and "endTime" not in new:
                new = {**new, "endTime": now()}
                new[COUNTED[new["jobDeploymentStatus"]]] = old.get(COUNTED[new["jobDeploymentStatus"]], 0) + 1
            self._change(job, lambda found: {**found, "status": new}, part="status")

    def _next(self, job: Object, status: Status) -> Status:
        steps: dict[str, Callable[[Object, Status], Status]] = {
            "": self._new,
            "Initializing": self._initializing,
            "Running": self._running,
            "Suspending": self._releasing,
            "Retrying": self._releasing,
            "Suspended": self._suspended,
            "Complete": self._over,
            "Failed": self._over,
        }
        step = steps.get(deployment(status))
        return step(job, status) if step else status

    def _new(self, job: Object, status: Status) -> Status:
        if wrong := invalid(job):
            return {**status, "jobDeploymentStatus": "ValidationFailed", "reason": "ValidationFailed", "message": wrong}
        name = job["metadata"]["name"]
        given = job["spec"].get("jobId") or f"{name}-{secrets.token_hex(3)[:5]}"
        named = {"jobId": given, "rayClusterName": f"{name}-{secrets.token_hex(3)[:5]}"}
        return {**status, **named, "jobDeploymentStatus": "Initializing", "startTime": now()}

    def _initializing(self, job: Object, status: Status) -> Status:
        if ended := suspending(job) or past_deadline(job, status) or never_started(job, status):
            return {**status, **ended}
        cluster = self._cluster(job, status) or self._make_cluster(job, status)
        if not ray_clusters.is_ready(cluster):
            return {**status, "rayClusterStatus": cluster.get("status") or {}}
        if not self.world.find(*submitter_key(job)):
            self._make_submitter(job, status)
        url = f"{cluster['status']['head']['serviceName']}.{job['metadata']['namespace']}.svc.cluster.local:8265"
        return {**status, "dashboardURL": url, "jobDeploymentStatus": "Running"}

    def _running(self, job: Object, status: Status) -> Status:
        if ended := suspending(job) or past_deadline(job, status):
            return {**status, **ended}
        submitter = finished(self.world.find(*submitter_key(job)))
        if submitter == "Failed" and status.get("jobStatus") not in TERMINAL:
            status = self._asked(job, status)  # a job that failed lately is no submission that failed
        if submitter == "Failed":
            app = status.get("jobStatus") == "FAILED"
            why = {"reason": "AppFailed"} if app else {"reason": "SubmissionFailed", "message": "the submitter gave up"}
            return {**status, **why, "jobDeploymentStatus": "Failed"}
        status = self._asked(job, status)
        since = status.get("jobStatusCheckFailureStartTime")
        if since and time.time() - seconds(since) > self.patience:
            return {**status, "jobDeploymentStatus": "Failed", "reason": "JobStatusCheckTimeoutExceeded"}
        if status.get("jobStatus") in TERMINAL and submitter:
            failed = status["jobStatus"] == "FAILED"
            return {**status, **({"reason": "AppFailed"} if failed else {}),
                    "jobDeploymentStatus": "Failed" if failed else "Complete"}  # fmt: skip
        return status

    def _asked(self, job: Object, status: Status) -> Status:
        """With what Ray says of the job now; where it says nothing, since when it does not."""
        cluster = self._cluster(job, status)
        try:
            if cluster is None:
                raise Unreachable("there is no cluster")
            said = dashboard.job(self.world, cluster, status["jobId"])
        except Unreachable:
            return {"jobStatusCheckFailureStartTime": now(), **status}
        kept = {name: value for name, value in status.items() if name != "jobStatusCheckFailureStartTime"}
        told = {
            "jobStatus": said["status"],
            "message": said.get("message") or "",
            "rayClusterStatus": cluster["status"],
        }
        return {**kept, **told}

    def _releasing(self, job: Object, status: Status) -> Status:
        """Everything goes before the status does, so that nothing is left where it was suspended."""
        if not (self._gone(cluster_key(job, status)) & self._gone(submitter_key(job))):
            return status
        counted = {name: status[name] for name in COUNTED.values() if name in status}
        return {
            **counted,
            **({"jobDeploymentStatus": "Suspended"} if status["jobDeploymentStatus"] == "Suspending" else {}),
        }

    def _suspended(self, job: Object, status: Status) -> Status:
        kept = {name: value for name, value in status.items() if name != "jobDeploymentStatus"}
        return status if job["spec"].get("suspend") else kept

    def _over(self, job: Object, status: Status) -> Status:
        spec = job["spec"]
        again = status["jobDeploymentStatus"] == "Failed" and status.get("failed", 0) <= spec.get("backoffLimit", 0)
        if again and status.get("reason") != "DeadlineExceeded":
            return {
                **{name: value for name, value in status.items() if name != "endTime"},
                "jobDeploymentStatus": "Retrying",
            }
        late = time.time() >= seconds(status["endTime"]) + spec.get("ttlSecondsAfterFinished", 0)
        if spec.get("shutdownAfterJobFinishes") and late:
            self._gone(cluster_key(job, status))
        return status

    def _let_go(self, job: Object) -> None:
        """A RayJob that is asked to go: its job is stopped, then nothing holds it."""
        if FINALIZER not in job["metadata"].get("finalizers", []):
            return
        status = job.get("status") or {}
        cluster = self._cluster(job, status)
        if cluster and status.get("jobStatus") not in TERMINAL and "jobId" in status:
            with suppress(Unreachable):  # KubeRay lets go all the same
                dashboard.stop(self.world, cluster, status["jobId"])
        self._change(job, let_go)

    def _make_cluster(self, job: Object, status: Status) -> Object:
        metadata = {
            "name": status["rayClusterName"],
            "labels": {**job["metadata"].get("labels", {}), NAME: job["metadata"]["name"], CRD: "RayJob"},
            "annotations": job["metadata"].get("annotations") or {},
            "ownerReferences": owned_by(job),
        }
        body = {"metadata": metadata, "spec": job["spec"]["rayClusterSpec"]}
        return self.world.create("rayclusters", job["metadata"]["namespace"], body)

    def _make_submitter(self, job: Object, status: Status) -> None:
        spec, head = job["spec"], job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]
        template = spec.get("submitterPodTemplate") or {"spec": {"containers": [head["spec"]["containers"][0]]}}
        limit = (spec.get("submitterConfig") or {}).get("backoffLimit", 2)
        name = job["metadata"]["name"]
        metadata = {"name": name, "labels": {NAME: name, CRD: "RayJob"}, "ownerReferences": owned_by(job)}
        body = {"metadata": metadata, "spec": {"backoffLimit": limit, "template": template}}
        self.world.create("jobs", job["metadata"]["namespace"], body)

    def _cluster(self, job: Object, status: Status) -> Object | None:
        return self.world.find(*cluster_key(job, status))

    def _gone(self, key: Key) -> bool:
        """Ask an object to go, unless it was asked; whether it is gone."""
        found = self.world.find(*key)
        if found and "deletionTimestamp" not in found["metadata"]:
            self.world.delete(key)
        return self.world.find(*key) is None

    def _change(self, job: Object, change: Callable[[Object], Object], part: str | None = None) -> None:
        if self.world.find(*key_of(job)):
            self.world.update(key_of(job), change, part=part)
