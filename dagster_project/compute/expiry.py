"""Which RayJobs and RayClusters outlived their lease, and why. Pure: objects, the ledger and a moment in, words out."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from dagster_project.compute.usage import Object, seconds_of
from dagster_project.domain.lease import DEADLINE_LABEL, LEASE_LABEL

GRACE = 120.0
"""Seconds for the launcher and the operator to do it by themselves."""
HEADLESS = 600.0
"""Seconds without a head: KubeRay makes a new one within less."""
STARTING = ("", "New", "Initializing", "Waiting")
DEFAULT_START = 3600.0


class Finding(NamedTuple):
    """An object and why it may not stay; ``delete`` False: a person has to look."""

    kind: str
    name: str
    uid: str
    lease: str
    why: str
    delete: bool = True


def expired(
    jobs: Iterable[Object],
    clusters: Iterable[Object],
    over: Collection[str],
    now: float,
    abandoned: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Everything among a namespace's objects that has to go ``now``.

    ``clusters`` were listed before ``jobs``: a cluster's job that is missing then is gone, not yet to come. ``over``:
    leases that the ledger says to be over; ``abandoned``: those whose launcher is known to have ended. Objects without
    a lease's label are nobody's business here, and what is going already is left alone.
    """
    jobs, clusters = list(jobs), list(clusters)
    found = [(job, "RayJob", _of_job(job, clusters, now)) for job in jobs]
    found += [(cluster, "RayCluster", _of_cluster(cluster, jobs, now)) for cluster in clusters]
    return tuple(
        finding
        for each, kind, why in found
        if _is_ours(each) and "deletionTimestamp" not in each["metadata"]
        if (finding := _finding(each, kind, _of_lease(each, over, abandoned, now) or why, now)) is not None
    )


def lease_of(each: Object) -> str:
    """The lease's id; empty where there is none."""
    return str(each["metadata"].get("labels", {}).get(LEASE_LABEL, ""))


def _is_ours(each: Object) -> bool:
    return bool(lease_of(each))


def _finding(each: Object, kind: str, why: str, now: float) -> Finding | None:
    metadata, lease, deadline = each["metadata"], lease_of(each), _deadline(each)
    if deadline is None:
        label = metadata["labels"].get(DEADLINE_LABEL)
        why = f"its label {DEADLINE_LABEL} is no time: {label!r}"
    elif now > deadline + GRACE:
        why = f"it outlived its deadline by {now - deadline:.0f} s"
    return Finding(kind, metadata["name"], metadata["uid"], lease, why, deadline is not None) if why else None


def _of_lease(each: Object, over: Collection[str], abandoned: Collection[str], now: float) -> str:
    """Why its lease has ended before its deadline; empty where it has not."""
    if lease_of(each) in abandoned:
        return "whoever launched it has ended"
    return "the ledger says that its lease is over" if lease_of(each) in over and _age(each, now) > GRACE else ""


def _of_job(job: Object, clusters: list[Object], now: float) -> str:
    """Why a job is stuck; empty where it is not."""
    status = job.get("status") or {}
    stage = status.get("jobDeploymentStatus") or ""
    if stage in STARTING:
        allowed = float(job.get("spec", {}).get("preRunningDeadlineSeconds") or DEFAULT_START)
        late = _age(job, now) > allowed + GRACE
        return f"it has not started, {_age(job, now):.0f} s after it was made" if late else ""
    if stage == "Running" and (since := _headless_since(job, clusters)) is not None and now - since > HEADLESS:
        return f"it says that it runs, and its cluster has had no head for {now - since:.0f} s"
    return ""


def _headless_since(job: Object, clusters: list[Object]) -> float | None:
    """When the job's cluster lost its head; None: it has one, as far as anybody knows."""
    name = job["status"].get("rayClusterName")
    cluster = next((each for each in clusters if each["metadata"]["name"] == name), None)
    if cluster is None:
        return seconds_of(job["status"].get("startTime") or job["metadata"]["creationTimestamp"])
    conditions = (cluster.get("status") or {}).get("conditions") or []
    lost = [each for each in conditions if each["type"] == "HeadPodReady" and each["status"] == "False"]
    return seconds_of(lost[0].get("lastTransitionTime")) if lost else None


def _of_cluster(cluster: Object, jobs: list[Object], now: float) -> str:
    """Why a cluster belongs to nobody; empty where its job is there."""
    owners = {owner["uid"] for owner in cluster["metadata"].get("ownerReferences") or [] if owner["kind"] == "RayJob"}
    there = any(job["metadata"]["uid"] in owners or lease_of(job) == lease_of(cluster) for job in jobs)
    return "" if there or _age(cluster, now) <= GRACE else "its RayJob is gone"


def _deadline(each: Object) -> float | None:
    text = str(each["metadata"]["labels"].get(DEADLINE_LABEL, ""))
    return float(text) if text.isascii() and text.isdigit() else None


def _age(each: Object, now: float) -> float:
    return now - (seconds_of(each["metadata"]["creationTimestamp"]) or now)
