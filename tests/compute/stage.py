"""A cluster that plays along: RayJobs on the API double get a cluster, pods and a dashboard, and end as a test says.

No Ray is behind it. ``tests/kubernetes/operator.py`` plays the operator with Ray's real autoscaler; this one is for
what the launcher does with answers, and takes seconds.
"""

import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.compute.access import LAUNCHER, RIGHTS
from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.bundle import FILES as BUNDLE_FILES
from dagster_project.domain.bundle import MANIFEST, BundleFile, BundleManifest, Input, Parity
from dagster_project.domain.snapshot import Snapshot, SplitResult, SplitRows
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.instance import open_instance
from dagster_project.storage.bundles import store_bundle
from dagster_project.storage.files import write_atomic
from dagster_project.storage.store import ArtifactStore
from tests.compute.dashboard import TOKEN, Dashboard, dashboard
from tests.compute.leases import IMAGE
from tests.kubernetes.double import Double, kubernetes_double
from tests.kubernetes.refusals import Refusal
from tests.kubernetes.world import Object, now
from tests.trees import FILES, repository

Status = dict[str, Any]


@dataclass
class Stage:
    """``act`` is the program: it is given the request and says the job's last status."""

    double: Double
    dashboard: Dashboard
    folder: Path
    act: Callable[[BuildRequest], Status]
    starts: bool = True
    over: threading.Event = field(default_factory=threading.Event)

    def kubeconfig(self, *, without: str = "") -> Path:
        """Of the launcher, who may do what its account may, ``without`` one resource."""
        rules = [
            {"apiGroups": [group], "resources": [each for each in what if each != without], "verbs": verbs}
            for group, what, verbs in RIGHTS[LAUNCHER]
        ]
        return self.double.kubeconfig(self.folder / "kubeconfig", LAUNCHER, rules, "training")

    def report(self, name: str, **status: Any) -> None:
        """Write to a RayJob's status."""
        key = ("rayjobs", "training", name)
        self.double.world.update(
            key, lambda old: {**old, "status": {**(old.get("status") or {}), **status}}, part="status"
        )

    def pod(self, kind: str, name: str) -> None:
        """A machine comes."""
        [job] = self.double.world.all("rayjobs", "training")
        labels = {**job["metadata"]["labels"], "ray.io/node-type": kind}
        spec = {"containers": [{"name": "ray", "image": IMAGE}]}
        status = {"phase": "Running", "startTime": now()}
        self.double.world.create(
            "pods", "training", {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": status}
        )

    def gone(self, name: str) -> None:
        """A machine goes."""
        self.double.world.gone(("pods", "training", name))

    def names(self, plural: str) -> list[str]:
        """What there is of a kind."""
        return [each["metadata"]["name"] for each in self.double.world.all(plural, "training")]

    def play(self) -> None:
        """Start each job once; take away what belongs to none."""
        started: set[str] = set()
        while not self.over.wait(0.1):
            for job in self.double.world.all("rayjobs", "training"):
                if job["metadata"]["uid"] not in started and self.starts:
                    started.add(job["metadata"]["uid"])
                    threading.Thread(target=self._run, args=(job,), daemon=True).start()
            self.double.world.collect()
            if not self.double.world.all("rayjobs", "training"):
                for name in self.names("pods"):
                    self.gone(name)

    def _run(self, job: Object) -> None:
        name = job["metadata"]["name"]
        owner = {
            "apiVersion": "ray.io/v1",
            "kind": "RayJob",
            "name": name,
            "uid": job["metadata"]["uid"],
            "controller": True,
        }
        metadata = {"name": f"{name}-x", "labels": job["metadata"]["labels"], "ownerReferences": [owner]}
        self.double.world.create(
            "rayclusters", "training", {"metadata": metadata, "spec": job["spec"]["rayClusterSpec"]}
        )
        secret = {
            "metadata": {"name": f"{name}-x", "ownerReferences": [owner]},
            "data": {"auth_token": b64encode(TOKEN.encode()).decode()},
        }
        self.double.world.create("secrets", "training", secret)
        self.pod("head", f"{name}-head")
        started = {"jobId": "job-1", "jobStatus": "RUNNING", "rayClusterName": f"{name}-x", "startTime": now()}
        self.report(name, jobDeploymentStatus="Running", **started)
        uri = job["spec"]["entrypoint"].rsplit(" ", 1)[1]
        request = BuildRequest.from_json(Path(uri.removeprefix("file://")).read_bytes())
        try:
            self.report(name, **self.act(request))
        except Refusal:
            return  # it was deleted meanwhile


@contextmanager
def stage(folder: Path, act: Callable[[BuildRequest], Status]) -> Iterator[Stage]:
    """The API, who plays on it, and the dashboard."""
    with kubernetes_double() as double, dashboard() as served:
        made = Stage(double, served, folder, act)
        player = threading.Thread(target=made.play, daemon=True)
        player.start()
        try:
            yield made
        finally:
            made.over.set()
            player.join(10)


def small_request(folder: Path, *, local: bool = False) -> BuildRequest:
    """A request over rows that nobody reads; ``local``: they lie where no pod can read them."""
    digest = "sha256:" + "0" * 64
    where = str(folder) if local else folder.as_uri()
    part = SplitRows(uri=f"{where}/part.parquet", digest=digest, rows=1, labelled=1)
    return BuildRequest(
        spec=repository(FILES).specs["tardy"],
        snapshot=Snapshot(
            dataset="trips", contract_version="1.0.0", contract_digest=digest, uri=where, version=0, digest=digest,
            rows=1, created=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        split=SplitResult(snapshot=digest, train=part, validation=part),
        numeric=("hour",), categorical=(), build_key=digest, code_digest=digest, environment_digest=digest,
        store=str(folder / "store"), result="",
    )  # fmt: skip


def bundle_of(request: BuildRequest, folder: Path, **changes: Any) -> str:
    """Leave a bundle in the request's store, as the training program does; its digest."""
    folder.mkdir(parents=True)
    contents = {name: f"{name} of {request.build_key}".encode() for name in BUNDLE_FILES}
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    manifest = BundleManifest(
        model=request.spec.name, task="binary", target="late", family="mlp", parameters={}, features=("hour",),
        inputs=(Input(name="hour", dtype="float32"),), outputs=("label",), dataset="trips", contract_version="1.0.0",
        snapshot=request.snapshot.digest, build_key=request.build_key, training_digest="x", code_digest="x",
        environment_digest="x", seed=0, rows={},
        parity=Parity(maximum_difference=0.0, flipped_labels=0, rows=1, planted=()),
        files={name: BundleFile(digest=digest_of_bytes(data), size=len(data)) for name, data in contents.items()},
    ).model_copy(update=changes)  # fmt: skip
    (folder / MANIFEST).write_text(manifest.to_json())
    return store_bundle(ArtifactStore(request.store), folder)


def succeed(request: BuildRequest, folder: Path, **changes: Any) -> Status:
    """Leave a bundle and a result; what the operator says then."""
    bundle = bundle_of(request, folder, **changes)
    result = TrainingResult(
        bundle=bundle, onnx="x", family="mlp", value=1.0, trials=1, failed=0, seconds={"search": 1.0}
    )
    write_atomic(request.result, result.to_json().encode())
    return {"jobStatus": "SUCCEEDED", "jobDeploymentStatus": "Complete"}


def failed(code: int) -> Status:
    """The program ended with this exit code."""
    message = f"Job entrypoint command failed with exit code {code}, last available logs: ..."
    return {"jobStatus": "FAILED", "jobDeploymentStatus": "Failed", "reason": "AppFailed", "message": message}


def in_dagster(folder: Path, work: Callable[[dg.AssetExecutionContext], Any]) -> Any:
    """Run ``work`` in a step of a Dagster run, on an instance as builds have it; what it returns or raises."""
    kept: list[Any] = []

    @dg.asset
    def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        kept.append(work(context))
        return dg.MaterializeResult()

    with open_instance(Workspace(repo=folder)) as instance:
        dg.materialize([step], instance=instance, raise_on_error=True)
    return kept[0]
