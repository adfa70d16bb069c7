"""A lease on Kubernetes: a RayJob that the operator starts, that we follow, and that is deleted however this ends."""

import re
import time
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError  # not among Dagster's public names

from dagster_project.compute.archive import code_archive
from dagster_project.compute.clusters import Cluster
from dagster_project.compute.manifest import job_name, rayjob
from dagster_project.compute.watch import Watch
from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.compute import KubeRayProfile
from dagster_project.domain.errors import ActsError, MachineryError, RefusedError, UsageError
from dagster_project.domain.lease import Lease, LeaseFolder, NodeUse, Outcome
from dagster_project.factories.leases.place import Released, end_of, reason_of
from dagster_project.storage.files import write_atomic
from dagster_project.storage.leased import remove_folder, take_over
from dagster_project.storage.store import ArtifactStore

PATIENCE, HURRY = 180.0, 5.0  # seconds to see the last machine go
_EXIT_CODE = re.compile(r"exit code (\d+)")


class KubeRayPlace:
    """Machines of a cluster, from none to none. They go without us too: the operator ends the job at its deadline."""

    def __init__(self, context: dg.AssetExecutionContext, profile: KubeRayProfile, currency: str) -> None:
        self._context, self._profile, self._currency = context, profile, currency
        self._cluster = Cluster(profile)
        self._watch: Watch | None = None

    def train(self, lease: Lease, request: BuildRequest) -> TrainingResult:
        """Hand the request and the code over, run the job, take the bundle over; raises as every place does."""
        folder = LeaseFolder.of(self._profile.leases, lease.id)
        asked = leased_request(request, lease, folder, self._profile)
        write_atomic(folder.request, asked.to_json().encode())
        write_atomic(folder.code, code_archive())
        for weights in request.spec.pretrained:
            ArtifactStore(folder.store).put(ArtifactStore(request.store).get(weights.digest))
        self._watch = Watch(self._cluster, lease, self._profile, self._currency, self._context.log.warning)
        self._watch.start()
        self._run(lease, self._watch)
        return take_over(folder, ArtifactStore(request.store), request.build_key)

    def release(self, lease: Lease, *, hurry: bool) -> Released:
        """Delete the job by its name, which was known before it was made; look until its machines are gone."""
        said = [self._deleted(lease)]
        outcome: Outcome | None = None
        last_gone: float | None = None
        nodes: tuple[NodeUse, ...] = ()
        if self._watch:
            last_gone = self._watch.finish(HURRY if hurry else PATIENCE)
            nodes = self._watch.nodes
            outcome, reason = self._watch.ended or end_of(lease, time.time())
            said += [reason, "" if self._watch.exact else "pods can't be listed: machines by the job's status"]
            said.append("" if last_gone or hurry else f"machines were not seen to go within {PATIENCE:.0f} s")
        said.append(remove_folder(LeaseFolder.of(self._profile.leases, lease.id)))
        self._cluster.close()
        return Released(nodes, last_gone, outcome, "; ".join(word for word in said if word))

    def _run(self, lease: Lease, watch: Watch) -> None:
        from dagster_project.factories.leases.pipes import LeasePipes

        try:
            LeasePipes(self._profile, self._cluster).run(context=self._context, ray_job=rayjob(lease, self._profile))
        except DagsterExecutionInterruptedError:
            raise
        except Exception as error:
            if watch.ended:
                raise _ended(*watch.ended) from error
            status = (self._cluster.find("rayjobs", job_name(lease.id)) or {}).get("status", {})
            if status.get("jobStatus") != "SUCCEEDED":
                raise explained(status, error) from error
            self._context.log.warning(f"lease {lease.id}: the program ended well, its lines broke off: {error}")

    def _deleted(self, lease: Lease) -> str:
        """Empty, or what stood in the way: the operator and the reaper are behind us."""
        try:
            self._cluster.delete("rayjobs", job_name(lease.id))
        except MachineryError as error:
            self._context.log.warning(
                f"lease {lease.id} is not deleted: {error} Its deadline ends it; or: acts compute reap"
            )
            return f"not deleted: {error}"
        return ""


def leased_request(request: BuildRequest, lease: Lease, folder: LeaseFolder, profile: KubeRayProfile) -> BuildRequest:
    """The request as pods are given it.

    Raises:
        UsageError: rows lie where pods can't read them.
    """
    for part in (request.split.train, request.split.validation):
        if "://" not in part.uri:
            words = f"{part.uri} lies on this machine, and pods can't read it."
            raise UsageError(f"{words} Set ACTS_WAREHOUSE to object storage, or use the profile local.")
    own = {
        "store": folder.store,
        "result": folder.result,
        "checkpoints": folder.checkpoints,
        "cpus": profile.worker.cpus,
        "memory": min(profile.head.memory_for_rows, profile.worker.memory_for_rows),
        "ends": lease.ends,
    }
    return request.model_copy(update=own)


def explained(status: dict[str, Any], error: Exception) -> Exception:
    """What became of a job, by its status: our program's exit code, the deadline, or what the operator said."""
    if isinstance(error, ActsError):
        return error
    if status.get("reason") == "DeadlineExceeded":
        return RefusedError("The lease's deadline was reached. Raise compute.deadline, or search less.")
    message = str(status.get("message") or "")
    code = _EXIT_CODE.search(message)
    if status.get("jobStatus") == "FAILED" and code:
        return reason_of(int(code[1]))
    words = " ".join((message or str(error)).split())[:500].rstrip(".")
    reason = f"{status.get('reason')}: " if status.get("reason") else ""
    return MachineryError(f"The training job did not come to its end: {reason}{words}. Run the build again.")


def _ended(outcome: Outcome, reason: str) -> Exception:
    words = f"The lease was ended: {reason}."
    if outcome == "lost":
        return MachineryError(f"{words} Run the build again.")
    return RefusedError(
        f"{words} Raise compute.{'cost_ceiling' if outcome == 'ceiling' else 'deadline'}, or search less."
    )
