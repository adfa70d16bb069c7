"""The reaper: deletes what outlived its lease, and closes leases that nobody closed. It runs outside what it reaps.

It may run twice, beside another one, and be killed at any moment: an object is deleted by its uid, so that a new one of
the same name is not hit, and a row too many in the ledger says the same.
"""

import time
from collections.abc import Iterable
from contextlib import closing
from typing import NamedTuple

from dagster_project.compute.clusters import Cluster, Kind
from dagster_project.compute.expiry import GRACE, Finding, expired, lease_of
from dagster_project.compute.usage import Meter, Object, seen_pods, seen_status
from dagster_project.domain.compute import KubeRayProfile, Profile, Profiles
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.lease import Lease, LeaseEnd, LeaseFolder, NodeUse, amount_of, most
from dagster_project.storage.leased import remove_folder
from dagster_project.storage.leases import LeaseLedger

PLURALS: dict[str, Kind] = {"RayJob": "rayjobs", "RayCluster": "rayclusters"}


class Reaped(NamedTuple):
    """What a look at one profile found, and which leases it closed. ``gone``: objects that were deleted by us."""

    findings: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    closed: tuple[LeaseEnd, ...]

    @property
    def left(self) -> tuple[Finding, ...]:
        """What only a person may delete."""
        return tuple(finding for finding in self.findings if not finding.delete)


def reap(name: str, profiles: Profiles, leases: LeaseLedger, *, unfinished: bool = False, dry: bool = False) -> Reaped:
    """Reap one profile. ``unfinished``: leases that this ledger has as open are over: it is a job's own, which ends.

    ``dry``: look only.

    Raises:
        MachineryError: the cluster or the ledger does not answer; what was deleted until then is.
        UsageError: nothing says how to reach the cluster.
    """
    profile, now = profiles.profiles[name], time.time()
    own = [lease for lease in leases.open() if lease.compute.profile == name]
    abandoned = own if unfinished else [lease for lease in own if now > lease.ends + GRACE]
    if not isinstance(profile, KubeRayProfile):
        return Reaped((), (), () if dry else close(abandoned, profile, {}, leases, profiles))
    with closing(Cluster(profile)) as cluster:
        jobs, clusters = _objects(cluster)
        over = {end.lease.id for end in leases.ends()}
        findings = expired(jobs, clusters, over, now, {lease.id for lease in abandoned})
        if dry:
            return Reaped(findings, (), ())
        doomed = {finding.lease for finding in findings if finding.delete}
        lost = [lease for lease in own if lease in abandoned or lease.id in doomed]
        uses = {lease.id: _used(lease, profile, cluster, jobs, clusters, now) for lease in lost}
        gone = tuple(f for f in findings if f.delete and cluster.delete(PLURALS[f.kind], f.name, f.uid))
    return Reaped(findings, gone, close(lost, profile, uses, leases, profiles))


def _objects(cluster: Cluster) -> tuple[list[Object], list[Object]]:
    """Jobs and clusters, the clusters listed first (see ``expired``); and a job's own cluster, whatever its labels."""
    clusters, jobs = cluster.listed("rayclusters"), cluster.listed("rayjobs")
    known = {each["metadata"]["name"] for each in clusters}
    named = {str((job.get("status") or {}).get("rayClusterName") or "") for job in jobs} - known - {""}
    found = (cluster.find("rayclusters", name) for name in sorted(named))
    return jobs, [*clusters, *(each for each in found if each)]


def close(
    lost: Iterable[Lease],
    profile: Profile,
    uses: dict[str, tuple[NodeUse, ...]],
    leases: LeaseLedger,
    profiles: Profiles,
) -> tuple[LeaseEnd, ...]:
    """Write down leases that nobody closed, with what was still there to see of them."""
    still = {lease.id for lease in leases.open()}
    ends = tuple(_lost(lease, uses.get(lease.id, ()), profiles) for lease in lost if lease.id in still)
    for end in ends:
        leases.end(end)
        if isinstance(profile, KubeRayProfile):
            remove_folder(LeaseFolder.of(profile.leases, end.lease.id))
    return ends


def _lost(lease: Lease, nodes: tuple[NodeUse, ...], profiles: Profiles) -> LeaseEnd:
    limit = most(lease.compute, profiles)
    seen = "machines that had gone before were not seen" if nodes else "none of its machines was seen"
    return LeaseEnd(
        lease=lease,
        outcome="lost",
        reason=f"whoever launched it did not close it; {seen}: at most {limit:,.2f} {profiles.currency}",
        nodes=nodes,
        amount=round(amount_of(nodes), 6),
        currency=profiles.currency,
    )


def _used(
    lease: Lease, profile: KubeRayProfile, cluster: Cluster, jobs: list[Object], clusters: list[Object], now: float
) -> tuple[NodeUse, ...]:
    """The lease's machines that are still there, or were when the job ended."""
    meter = Meter(lease, profile)
    try:
        seen = seen_pods(cluster.pods(lease.id))
    except MachineryError:  # no right to list pods: the objects tell less
        job = next((each for each in jobs if lease_of(each) == lease.id), None)
        ray = next((each for each in clusters if lease_of(each) == lease.id), None)
        seen = seen_status(job, ray, now)
    meter.look(seen, now)
    return meter.nodes
