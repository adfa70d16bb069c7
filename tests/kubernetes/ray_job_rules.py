"""What KubeRay's controller of RayJobs decides of a spec and a status alone: pure."""

import time
from typing import Any

from tests.kubernetes.world import Key, Object, seconds

FINALIZER = "ray.io/rayjob-finalizer"
LONGEST_NAME = 47
Status = dict[str, Any]

COUNTED = {"Complete": "succeeded", "Failed": "failed"}


def suspending(job: Object) -> Status | None:
    """``suspend``."""
    return {"jobDeploymentStatus": "Suspending"} if job["spec"].get("suspend") else None


def past_deadline(job: Object, status: Status) -> Status | None:
    """``activeDeadlineSeconds`` after ``startTime``."""
    limit = job["spec"].get("activeDeadlineSeconds")
    return _failed("DeadlineExceeded", f"activeDeadlineSeconds: {limit}") if _passed(status, limit) else None


def never_started(job: Object, status: Status) -> Status | None:
    """``preRunningDeadlineSeconds`` after ``startTime``, where it is not running."""
    limit = job["spec"].get("preRunningDeadlineSeconds")
    return _failed("PreRunningDeadlineExceeded", f"not running in {limit} seconds") if _passed(status, limit) else None


def _passed(status: Status, limit: int | None) -> bool:
    return bool(limit) and time.time() >= seconds(status["startTime"]) + (limit or 0)


def _failed(reason: str, message: str) -> Status:
    return {"jobDeploymentStatus": "Failed", "reason": reason, "message": message}


def submitter_key(job: Object) -> Key:
    """The Job that submits has the RayJob's name."""
    return "jobs", job["metadata"]["namespace"], job["metadata"]["name"]


def cluster_key(job: Object, status: Status) -> Key:
    """The RayCluster that the status names."""
    return "rayclusters", job["metadata"]["namespace"], status.get("rayClusterName", "")


def held(job: Object) -> Object:
    """With KubeRay's finalizer."""
    job["metadata"]["finalizers"] = [*job["metadata"].get("finalizers", []), FINALIZER]
    return job


def let_go(job: Object) -> Object:
    """Without it."""
    job["metadata"]["finalizers"] = [each for each in job["metadata"]["finalizers"] if each != FINALIZER]
    return job


def invalid(job: Object) -> str:
    """What KubeRay refuses though its schema takes it; empty: nothing."""
    spec = job["spec"]
    if len(job["metadata"]["name"]) > LONGEST_NAME:
        return f"the name has more than {LONGEST_NAME} characters"
    if not spec.get("rayClusterSpec"):
        return "one of rayClusterSpec or clusterSelector must be set"
    if spec.get("ttlSecondsAfterFinished") and not spec.get("shutdownAfterJobFinishes"):
        return "ttlSecondsAfterFinished without shutdownAfterJobFinishes"
    if spec.get("suspend") and not spec.get("shutdownAfterJobFinishes"):
        return "suspend without shutdownAfterJobFinishes"
    return ""


def deployment(status: Status) -> str:
    """``jobDeploymentStatus``; empty at first."""
    return str(status.get("jobDeploymentStatus", ""))
