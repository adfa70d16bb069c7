"""Leases in real builds: what the ledger, the result, Dagster and the report say that they took."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from ci.judging.run import last_lease
from ci.pull_request import _cost
from dagster_project.domain.build import BuildResult
from dagster_project.domain.compute import Compute
from dagster_project.domain.lease import Lease, LeaseEnd, NodeUse, amount_of
from dagster_project.factories.instance import open_instance
from dagster_project.storage.leases import LeaseLedger
from dagster_project.storage.store import ArtifactStore
from tests.pipeline.small import ONE_TRIAL, command, commit, environment, opened, write_repository
from tests.trees import SPEC_FILE, edited

CRASHING = """\
import os, signal, sys
from pathlib import Path

left = Path(__file__).with_name("left")
if "dagster_project.factories.trainer" in sys.orig_argv and (count := int(left.read_text())):
    left.write_text(str(count - 1))
    os.kill(os.getpid(), signal.SIGSEGV)
"""
PROFILES = """\
schema_version: 1
currency: EUR
profiles:
  local: {kind: local, price: 36.0}
"""


def write(folder: Path, compute: str = "{}") -> Path:
    """A repository whose machine costs a cent a second; ``compute`` of its one model."""
    spec = edited(ONE_TRIAL, ("gates:\n", f"compute: {compute}\ngates:\n"))
    repo = write_repository(folder / "repo", **{SPEC_FILE: spec})
    (folder / "compute.yaml").write_text(PROFILES)
    commit(repo)
    return repo


def build(repo: Path, **more: str) -> tuple[int, BuildResult | None, str]:
    """Build the model with those prices."""
    result = repo / ".acts" / "result.json"
    told = environment(repo) | {"ACTS_COMPUTE": str(repo.with_name("compute.yaml"))} | more
    done = subprocess.run(
        command(repo, "model", "tardy", result), env=told, capture_output=True, text=True, check=False
    )
    return done.returncode, BuildResult.from_json(result.read_bytes()) if result.exists() else None, done.stderr


def ledger_of(repo: Path) -> LeaseLedger:
    return LeaseLedger(str(repo / ".acts" / "ledger"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildResult, str]:
    repo = write(tmp_path_factory.mktemp("leased"))
    code, result, said = build(repo)
    assert code == 0 and result is not None, said
    return repo, result, said


def test_the_machine_is_in_the_ledger_by_the_second(built: tuple[Path, BuildResult, str]) -> None:
    repo, result, said = built
    [end] = ledger_of(repo).ends()
    assert ledger_of(repo).open() == []
    [node] = end.nodes
    assert (end.outcome, end.currency, node.kind, node.hourly, node.gpus) == ("succeeded", "EUR", "local", 36.0, 0)
    assert node.since == end.lease.begun and node.until == end.last_gone
    assert end.amount == pytest.approx(amount_of([node]), abs=1e-6)
    assert 0.01 <= end.amount <= 0.01 * result.seconds
    assert (end.lease.model, end.lease.build_key, end.lease.run) == ("tardy", result.build_key, result.run)
    assert result.lease == end and f"lease {end.lease.id} succeeded" in said


def test_dagster_shows_it_on_the_search(built: tuple[Path, BuildResult, str]) -> None:
    repo, result, _ = built
    with open_instance(opened(repo)[1]) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["tardy", "search"]))
    assert event is not None and event.asset_materialization is not None and result.lease is not None
    shown = event.asset_materialization.metadata
    assert shown["cost"].value == result.lease.amount and shown["currency"].value == "EUR"
    assert "| local |" in str(shown["machines"].value)


def test_the_last_build_says_what_it_took(built: tuple[Path, BuildResult, str]) -> None:
    repo, result, _ = built
    assert last_lease(ArtifactStore(str(repo / ".acts" / "store")), "tardy") == result.lease
    total = _cost([result, result])
    assert result.lease is not None and total is not None
    assert (total.amount, total.currency) == (2 * result.lease.amount, "EUR")


def test_a_build_that_would_cross_its_ceiling_is_not_started(tmp_path: Path) -> None:
    repo = write(tmp_path, "{cost_ceiling: 2.0}")
    compute = Compute(cost_ceiling=9.0)
    before = Lease(id="before", model="tardy", build_key="k", compute=compute, begun=0.0, ends=9.0)
    node = NodeUse(kind="local", name="vm", since=0.0, until=300.0, hourly=36.0)
    ledger_of(repo).end(LeaseEnd(lease=before, outcome="succeeded", nodes=(node,), currency="EUR"))
    code, result, said = build(repo)
    assert (code, result) == (1, None)
    assert "Not started: a build of tardy is estimated at 3.00 EUR (its last build cost that)" in said
    assert "more than its ceiling of 2.00 EUR" in said and "compute.cost_ceiling" in said
    assert ledger_of(repo).open() == [] and len(ledger_of(repo).ends()) == 1
    told = environment(repo) | {"ACTS_COMPUTE": str(repo.with_name("compute.yaml"))}
    acts = [sys.executable, "-m", "ci.main", "build", "tardy", "--repo", str(repo)]
    done = subprocess.run(acts, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "not built: it was refused" in done.stderr


@pytest.mark.parametrize(
    ("crashes", "ends"), [pytest.param(1, 0, marks=pytest.mark.slow), pytest.param(3, 3, id="again and again")]
)
def test_a_program_that_crashes_is_started_once_more(tmp_path: Path, crashes: int, ends: int) -> None:
    """What compiled code does once in thousands of builds must not cost a whole one."""
    repo = write(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(CRASHING)
    (tmp_path / "left").write_text(str(crashes))
    code, result, said = build(repo, PYTHONPATH=str(tmp_path))
    assert (code, result is not None) == (ends, ends == 0), said
    assert int((tmp_path / "left").read_text()) == max(0, crashes - 2)
    [end] = ledger_of(repo).ends()
    assert said.count(f"lease {end.lease.id}: the training program crashed (SIGSEGV). It is started once more.") == 1
    assert ("ended with exit code -11 (SIGSEGV)" in end.reason) == (ends != 0)


def test_words_for_people() -> None:
    lease = Lease(id="a1", model="tardy", build_key="k", compute=Compute(), begun=0.0, ends=9.0)
    head = NodeUse(kind="head", name="h", since=0.0, until=60.0, hourly=1.0)
    worker = NodeUse(kind="worker", name="w", since=0.0, until=30.0, hourly=1.0)
    end = LeaseEnd(lease=lease, outcome="succeeded", nodes=(head, worker, worker))
    assert end.what == "1 head, 2 workers, 2.0 machine minutes"


@pytest.mark.slow
def test_a_local_lease_ends_at_its_ceiling(tmp_path: Path) -> None:
    """A cent a second, so a ceiling of three cents is over before Ray is up."""
    repo = write(tmp_path, "{cost_ceiling: 0.03}")
    code, result, said = build(repo)
    assert (code, result) == (1, None), said
    [end] = ledger_of(repo).ends()
    assert end.outcome == "ceiling" and "the cost ceiling was reached" in end.reason
    assert 0.03 <= end.amount < 0.5 and not ArtifactStore(str(repo / ".acts" / "store")).refs("builds")
