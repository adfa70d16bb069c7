"""A real build of a real repository on the Kubernetes double: the launcher is a process, pods are processes."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.compute.access import LAUNCHER, REAPER, RIGHTS
from dagster_project.domain.build import BuildResult
from dagster_project.domain.lease import LeaseEnd
from dagster_project.storage.leases import LeaseLedger
from tests.compute.timeline import works
from tests.kubernetes import pods, processes
from tests.kubernetes.operator import Kubernetes
from tests.kubernetes.processes import Process
from tests.kubernetes.world import Change
from tests.pipeline.small import ONE_TRIAL, command, commit, environment, write_repository
from tests.trees import SPEC_FILE, edited

NAMESPACE, MODEL = "training", "tardy"
IDLE = 10
PROFILES = """\
schema_version: 1
currency: EUR
profiles:
  local: {{kind: local}}
  gpu:
    kind: kuberay
    namespace: training
    image: registry.example/training@sha256:{digest}
    service_account: acts-training
    leases: file://{leases}
    head: {{cpus: 1, memory: 4Gi, price: 0.36}}
    worker: {{cpus: 1, memory: 4Gi, gpus: 1, price: 3.6}}
    start_within: PT10M
"""
CANDIDATE = """\
  - family: mlp
    search:
      epochs: {{integer: [{epochs}, {more}]}}
"""
COMPUTE = f"""\
compute: {{profile: gpu, workers: 2, gpus_per_trial: 1, idle_timeout: PT{IDLE}S, deadline: PT30M}}
gates:
"""


@dataclass
class Launched:
    """A launcher that was started; ``began`` in seconds since 1970."""

    kubernetes: Kubernetes
    repo: Path
    told: dict[str, str]
    process: "subprocess.Popen[bytes]"
    began: float = field(default_factory=time.time)

    @property
    def said(self) -> str:
        """What it wrote, both streams."""
        return (self.repo.parent / "launcher.log").read_text(errors="replace")

    @property
    def result(self) -> BuildResult | None:
        """What it left."""
        file = self.repo / ".acts" / "result.json"
        return BuildResult.from_json(file.read_bytes()) if file.exists() else None

    @property
    def ends(self) -> list[LeaseEnd]:
        """The ledger's rows of leases that are over."""
        return LeaseLedger(str(self.repo / ".acts" / "ledger")).ends()

    def reap(self) -> str:
        """Run the reaper for leases that this ledger has open; what it said."""
        told = {**self.told, "KUBECONFIG": str(kubeconfig(self.kubernetes, self.repo.parent, REAPER))}
        reaper = [sys.executable, "-m", "dagster_project.compute", "reap", "--repo", str(self.repo), "--unfinished"]
        done = subprocess.run(reaper, env=told, capture_output=True, text=True, check=False, cwd=self.repo)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def descendants(self) -> list[Process]:
        """The launcher's processes and all that they started."""
        return processes.tree(self.process.pid)

    def end(self) -> None:
        """Whatever it does, it is over."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)

    def wait(self, seconds: float) -> int:
        """Its exit code."""
        return self.process.wait(seconds)


def write(folder: Path, trials: int = 4, epochs: int = 10, days: int = 400) -> Path:
    """A repository with one model that is searched on GPUs of the profile ``gpu``."""
    candidate = CANDIDATE.format(epochs=epochs, more=epochs + 1)
    families = "  - family: logistic_regression\n    search:\n      C: {log_uniform: [0.01, 10.0]}\n"
    edits = ((families, candidate), ("trials: 1", f"trials: {trials}\n  time_budget: PT20M"), ("gates:\n", COMPUTE))
    repo = write_repository(folder / "repo", days, **{SPEC_FILE: edited(ONE_TRIAL, *edits)})
    profiles = PROFILES.format(digest="a" * 64, leases=folder / "leases")
    (folder / "compute.yaml").write_text(profiles)
    commit(repo)
    return repo


def launch(kubernetes: Kubernetes, repo: Path, through: tuple[str, ...] = ()) -> Launched:
    """Start the build, with the launcher's rights and no more; ``through``: a program that starts it."""
    folder = repo.parent
    told = environment(repo) | {
        "ACTS_COMPUTE": str(folder / "compute.yaml"),
        "ACTS_WAREHOUSE": f"file://{folder}/warehouse",
        "ACTS_RAY_ADDRESS": kubernetes.dashboard,
        "KUBECONFIG": str(kubeconfig(kubernetes, folder, LAUNCHER)),
    }
    build = command(repo, "model", MODEL, repo / ".acts" / "result.json")
    with (folder / "launcher.log").open("w") as log:
        process = subprocess.Popen([*through, *build], env=told, stdout=log, stderr=log, cwd=repo)
    return Launched(kubernetes, repo, told, process)


def kubeconfig(kubernetes: Kubernetes, folder: Path, account: str) -> Path:
    """A kubeconfig for one of the accounts of ``acts compute access``."""
    rules = [{"apiGroups": [group], "resources": what, "verbs": verbs} for group, what, verbs in RIGHTS[account]]
    return kubernetes.double.kubeconfig(folder / f"{account}.kubeconfig", account, rules, NAMESPACE)


def worker_history(kubernetes: Kubernetes) -> list[Change]:
    """When workers came and went."""
    return [each for each in kubernetes.double.world.history if each.labels.get(pods.KIND) == "worker"]


def last_gone(kubernetes: Kubernetes) -> float:
    """When the last machine went, in seconds since 1970."""
    went = [each for each in kubernetes.double.world.history if each.what == "gone" and pods.KIND in each.labels]
    return max(each.at for each in went)


def head(kubernetes: Kubernetes) -> Process:
    """Process 1 of the head that runs."""
    (running,) = kubernetes.kubelet.heads.values()
    return running.cluster.init


def busy_raylet(kubernetes: Kubernetes) -> Process:
    """The raylet of a worker on which a trial runs."""
    (running,) = kubernetes.kubelet.heads.values()
    return next(node.raylet for node in running.cluster.workers() if works(node.raylet.pid))


def waited(happens: Callable[[], bool], seconds: float, said: Callable[[], str] = lambda: "") -> float:
    """Seconds until something was so.

    Raises:
        AssertionError: with what ``said`` says, it did not become so in time.
    """
    began = time.monotonic()
    while not happens():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"it did not happen within {seconds} seconds\n{said()[-4000:]}")
        time.sleep(0.2)
    return time.monotonic() - began
