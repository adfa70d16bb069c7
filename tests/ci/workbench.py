"""A small repository whose bundles are built without Ray and Dagster, so that judging is tested within seconds."""

import shutil
import subprocess
from pathlib import Path

from ci.judging.run import Judged, judge
from ci.judging.snapshots import snapshot_of
from ci.main import main
from ci.session import open_head, open_session
from dagster_project.data.splits import write_split
from dagster_project.domain.build import BuildResult
from dagster_project.domain.bundle import Trial
from dagster_project.domain.compute import Compute
from dagster_project.domain.lease import GpuUse, Lease, LeaseEnd, NodeUse
from dagster_project.domain.projection import project
from dagster_project.domain.repository import Repository
from dagster_project.domain.requests import build_request
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.provenance import vouch
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.candidate import refit
from dagster_project.training.job import _bundle
from dagster_project.training.learning import Learnt
from dagster_project.training.problem import fit, pose
from dagster_project.training.progress import Stopwatch
from dagster_project.training.rows import load_data
from dagster_project.training.space import propose
from tests.pipeline.small import ONE_TRIAL, write_repository
from tests.trees import TRIPS_SQL, edited

MODEL, SPEC, SQL = "tardy", "models/tardy/spec.yaml", "data_contracts/trips.sql"
DAYS = 400
GATES = """\
gates:
  - kind: parity
  - {kind: bound, metric: roc_auc, minimum: 0.6}
  - {kind: champion, metric: roc_auc}
"""
COARSE_SQL = edited(TRIPS_SQL, ("3 AS seats", "CAST(miles / 10 AS INTEGER) AS seats"))
GOOD = edited(ONE_TRIAL.split("gates:")[0] + GATES, ("    size: P31D", "    size: P120D"))
WEAK = edited(GOOD, ("include: [miles, carrier, seats]", "include: [carrier, seats]"))


def settled(folder: Path, spec: str = WEAK, sql: str = COARSE_SQL, **files: str) -> Path:
    """A repository on main: contracts, floor and, where ``spec`` is not empty, the model."""
    write_repository(folder, DAYS, **{SPEC: spec or WEAK, SQL: sql, ".gitignore": ".acts/\nlanding/\n", **files})
    if not spec:
        (folder / SPEC).unlink()
    git(folder, "init", "-q", "-b", "main")
    save(folder, "main")
    return folder


def crowned(folder: Path, spec: str = WEAK, sql: str = COARSE_SQL) -> Path:
    """A repository whose main has a champion of ``spec``."""
    return crown(settled(folder / "repo", spec="", sql=sql), spec)


def crown(repo: Path, spec: str) -> Path:
    """Build, judge, promote and merge the first model of a settled repository."""
    git(repo, "switch", "-q", "-c", "first")
    change(repo, SPEC, spec)
    save(repo, "first model")
    quick_build(repo)
    assert judged(repo).verdict.promotable
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    save(repo, "promote")
    git(repo, "switch", "-q", "main")
    git(repo, "merge", "-q", "first")
    return repo


def moved(repo: Path, folder: Path) -> Path:
    """A copy with its store, warehouse and ledgers; what names where a table lies is told that it has moved."""
    shutil.copytree(repo, folder, symlinks=True)
    for place in (folder / ".acts").rglob("*.json"):
        text = place.read_text()
        if str(repo) in text:
            place.write_text(text.replace(str(repo), str(folder)))
    return folder


def git(repo: Path, *arguments: str) -> str:
    """Run git as somebody."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=repo, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def save(repo: Path, message: str) -> str:
    """Commit everything; the commit."""
    git(repo, "add", "--all")
    git(repo, "commit", "-q", "--allow-empty", "-m", message)
    return git(repo, "rev-parse", "HEAD")


def change(repo: Path, path: str, text: str) -> None:
    """Write a file of the repository."""
    (repo / path).parent.mkdir(parents=True, exist_ok=True)
    (repo / path).write_text(text)


def quick_build(repo: Path, *, vouched: bool = True) -> str:
    """Digest of the model's bundle, built from the working folder: one fit of the spec's first proposal."""
    result = built_from(*open_head(repo), vouched=vouched)
    return str(result.bundle)


def built_from(workspace: Workspace, head: Repository, *, vouched: bool = True) -> BuildResult:
    """The same of any declarations, on what the workspace's sources hold now."""
    spec = head.specs[MODEL]
    contract = head.contracts[spec.contract.name]
    snapshot = snapshot_of(contract.name, head, workspace)
    split = write_split(spec, contract, snapshot, workspace)
    columns = project(spec, contract)
    request = build_request(spec, columns, snapshot, split, store=workspace.store, result="")
    data = load_data(request)
    problem, proposal = pose(spec, data), propose(spec)[0]
    done = list(fit(problem, proposal))[-1]
    trial = Trial(
        number=0,
        family=proposal.family,
        parameters=proposal.parameters,
        status="completed",
        value=done.value,
        steps=done.steps,
        seconds=0.1,
    )
    bundle, _ = _bundle(request, Learnt(data, [trial], [], refit(problem, data, trial), None), Stopwatch())
    result = BuildResult(
        kind="model", name=MODEL, outcome="built", snapshot=snapshot, bundle=bundle, lease=leased(bundle)
    )
    ArtifactStore(workspace.store).set_ref(f"latest/model/{MODEL}", result.model_dump(mode="json"))
    if vouched:
        vouch(bundle, request.build_key, MODEL, snapshot, request.environment_digest, "run", workspace)
    return result


def leased(bundle: str) -> LeaseEnd:
    """What the build says that it took: a head and a GPU worker for a quarter of an hour."""
    lease = Lease(id=bundle[-12:], model=MODEL, build_key="k", compute=Compute(), begun=0.0, ends=7200.0)
    head = NodeUse(kind="head", name="h", since=0.0, until=900.0, hourly=0.2)
    worker = NodeUse(kind="worker", name="w", since=0.0, until=900.0, hourly=0.8, gpus=1)
    gpu = GpuUse(
        name="NVIDIA L4", utilisation=0.87, peak_memory=3 * 2**30, memory=24 * 2**30, samples_per_second=1234.0
    )
    return LeaseEnd(lease=lease, outcome="succeeded", nodes=(head, worker), gpu=gpu, amount=0.25, currency="EUR")


def judged(repo: Path, base: str = "main", name: str = MODEL) -> Judged:
    """Judge what was built last, by the rules of ``base``."""
    return judge(open_session(repo, base), name)
