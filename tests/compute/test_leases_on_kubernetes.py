"""The launcher on a Kubernetes API double: what it applies, follows, takes over, and takes away however it ends."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from dagster_project.compute import watch
from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.compute import Compute, KubeRayProfile, Profiles
from dagster_project.domain.errors import MachineryError, RefusedError, UsageError
from dagster_project.domain.lease import LeaseEnd
from dagster_project.factories.leases import pipes
from dagster_project.factories.leases.kuberay import KubeRayPlace, explained
from dagster_project.factories.leases.place import begin, train_within
from dagster_project.storage.bundles import is_complete
from dagster_project.storage.leases import LeaseLedger
from dagster_project.storage.store import ArtifactStore
from tests.compute import leases
from tests.compute.stage import Stage, Status, failed, in_dagster, small_request, stage, succeed

# Dagster's Pipes use what Dagster deprecates and what it calls a preview, Ray's job client what aiohttp deprecates.
pytestmark = [
    pytest.mark.filterwarnings("ignore:AssetExecutionContext"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
    pytest.mark.filterwarnings("ignore:ssl=None"),
]
MINUTES = timedelta(minutes=30)


@pytest.fixture
def acting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A cluster whose program ends well, and a launcher that looks often."""
    monkeypatch.setattr(watch, "SECONDS", 0.2)
    with stage(tmp_path, lambda request: succeed(request, tmp_path / "made")) as made:
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(made.kubeconfig()))
        monkeypatch.setenv(pipes.ADDRESS, made.dashboard.url)
        yield made


def profile_of(acting: Stage, **changes: Any) -> KubeRayProfile:
    return leases.profile(leases=(acting.folder / "leases").as_uri(), **changes)


def ledger_of(acting: Stage) -> LeaseLedger:
    return LeaseLedger(str(acting.folder / "ledger"))


def build(
    acting: Stage, profile: KubeRayProfile | None = None, *, local_rows: bool = False, **compute: Any
) -> tuple[TrainingResult, LeaseEnd]:
    """A lease from its begin to its end, in a Dagster run."""
    profile = profile or profile_of(acting)
    profiles = Profiles(schema_version=1, currency="EUR", profiles={"gpu": profile})
    asked = Compute(**{"profile": "gpu", "workers": 2, "gpus_per_trial": 1, "deadline": MINUTES, **compute})
    request = small_request(acting.folder, local=local_rows)

    def work(context: dg.AssetExecutionContext) -> tuple[TrainingResult, LeaseEnd]:
        lease = begin("late_arrival", request.build_key, context.run.run_id, asked, profiles)
        place = KubeRayPlace(context, profile, "EUR")
        return train_within(place, lease, request, ledger_of(acting), "EUR", context.log)

    return in_dagster(acting.folder, work)


def last(acting: Stage) -> LeaseEnd:
    """The one lease that is over; nothing of it is left."""
    [end] = ledger_of(acting).ends()
    assert ledger_of(acting).open() == []
    assert acting.names("rayjobs") == [] == acting.names("rayclusters") == acting.names("pods")
    assert not (acting.folder / "leases" / end.lease.id).exists()
    return end


def busy(acting: Stage, seconds: float = 60.0) -> None:
    """A program that runs on, with one worker."""

    def act(request: BuildRequest) -> Status:
        acting.pod("worker", "worker-1")
        acting.over.wait(seconds)
        return failed(143)

    acting.act = act


def test_a_build_that_goes_well(acting: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    result, end = build(acting)
    store = ArtifactStore(str(acting.folder / "store"))
    assert is_complete(store, result.bundle) and result.seconds == {"search": 1.0}
    assert last(acting) == end and (end.outcome, end.reason) == ("succeeded", "")
    assert [node.kind for node in end.nodes] == ["head"] and end.amount > 0
    assert end.last_gone is not None and end.last_gone >= end.nodes[0].until - 0.5
    assert "a line of the program" in capfd.readouterr().out
    assert acting.dashboard.refused == 0


@pytest.mark.slow
def test_a_build_whose_lines_break_off_goes_on(acting: Stage) -> None:
    acting.dashboard.broken = True
    assert build(acting)[1] == last(acting)


def test_pods_are_given_what_they_may_know(acting: Stage) -> None:
    seen: list[BuildRequest] = []

    def act(request: BuildRequest) -> Status:
        seen.append(request)
        code = Path(request.store.removeprefix("file://")).parents[1] / "code.zip"
        assert code.read_bytes().startswith(b"PK")
        return succeed(request, acting.folder / "made")

    acting.act = act
    _, end = build(acting)
    folder = f"{(acting.folder / 'leases').as_uri()}/{end.lease.id}"
    assert (seen[0].store, seen[0].result) == (f"{folder}/out/store", f"{folder}/out/result.json")
    assert seen[0].checkpoints == f"{folder}/out/checkpoints" and seen[0].ends == end.lease.ends


def test_rows_on_this_machine_are_refused_before_anything_is_applied(acting: Stage) -> None:
    with pytest.raises(UsageError, match="ACTS_WAREHOUSE"):
        build(acting, local_rows=True)
    assert last(acting).outcome == "failed" and "POST" not in {call.method for call in acting.double.calls}


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [(1, RefusedError, "exit code 1"), (2, UsageError, "exit code 2"), (3, MachineryError, "exit code 3")],
)
def test_the_programs_exit_code_says_what_happened(acting: Stage, code: int, kind: type[Exception], words: str) -> None:
    acting.act = lambda _: failed(code)
    with pytest.raises(kind, match=words):
        build(acting)
    assert last(acting).outcome == "failed"


def test_the_ceiling_stops_it_and_says_so(acting: Stage) -> None:
    busy(acting)
    dear = profile_of(acting, head={"cpus": 2, "memory": "8Gi", "price": 7200.0})
    with pytest.raises(
        RefusedError, match=r"cost ceiling was reached: it has cost .* EUR and its ceiling is 4\.00 EUR"
    ):
        build(acting, dear, cost_ceiling=4.0)
    end = last(acting)
    assert end.outcome == "ceiling" and 4.0 <= end.amount < 20.0 and "its ceiling is 4.00 EUR" in end.reason
    assert sorted(node.kind for node in end.nodes) == ["head", "worker"]


@pytest.mark.slow
def test_the_deadline_stops_it_and_says_so(acting: Stage) -> None:
    busy(acting)
    with pytest.raises(RefusedError, match=r"the deadline was reached.*compute\.deadline"):
        build(acting, deadline=timedelta(seconds=3))
    assert last(acting).outcome == "deadline"


@pytest.mark.slow
def test_the_operators_deadline_ends_the_wait_though_ray_says_that_it_runs(acting: Stage) -> None:
    acting.act = lambda _: {"jobDeploymentStatus": "Failed", "reason": "DeadlineExceeded", "message": "too long"}
    with pytest.raises(RefusedError, match="deadline"):
        build(acting)
    last(acting)


@pytest.mark.slow
def test_a_head_that_is_gone_ends_it(acting: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "HEADLESS", 1.0)

    def act(request: BuildRequest) -> Status:
        time.sleep(1)
        [head] = acting.names("pods")
        acting.gone(head)
        acting.over.wait(60)
        return failed(1)

    acting.act = act
    with pytest.raises(MachineryError, match="its head has been gone"):
        build(acting)
    assert last(acting).outcome == "lost"


@pytest.mark.slow
def test_nothing_starts(acting: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    acting.starts = False
    monkeypatch.setattr(pipes, "PATIENCE", 1.0)
    with pytest.raises(MachineryError, match="Timed out"):
        build(acting, profile_of(acting, start_within="PT1S"))
    assert last(acting).nodes == ()


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("starts", [True, False], ids=["while it trains", "while it initialises"])
def test_an_interrupted_build_leaves_nothing(acting: Stage, ending: signal.Signals, starts: bool) -> None:
    busy(acting)
    acting.starts = starts

    def interrupt() -> None:
        while not acting.names("rayjobs" if not starts else "pods"):
            time.sleep(0.1)
        time.sleep(0.5)
        os.kill(os.getpid(), ending)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(DagsterExecutionInterruptedError):
        build(acting)
    assert last(acting).outcome == "interrupted"


@pytest.mark.slow
def test_hiccups_of_the_api_end_nothing(acting: Stage) -> None:
    def act(request: BuildRequest) -> Status:
        for _ in range(3):
            acting.double.faults.next("GET", "rayjobs.*/status", status=503)
            time.sleep(0.5)
        return succeed(request, acting.folder / "made")

    acting.act = act
    assert build(acting)[1].outcome == "succeeded"
    last(acting)


@pytest.mark.slow
def test_where_pods_cant_be_listed_the_status_counts_and_it_is_said(
    acting: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagster_project.factories.leases.kuberay.PATIENCE", 1.0)
    monkeypatch.setattr(
        "kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(acting.kubeconfig(without="pods"))
    )

    def act(request: BuildRequest) -> Status:
        time.sleep(2)
        return succeed(request, acting.folder / "made")

    acting.act = act
    _, end = build(acting)
    assert [node.kind for node in end.nodes] == ["head"] and end.amount > 0 and end.last_gone is None
    assert "pods can't be listed" in end.reason


def test_a_bundle_of_another_build_is_refused(acting: Stage) -> None:
    acting.act = lambda request: succeed(request, acting.folder / "made", build_key="sha256:" + "9" * 64)
    with pytest.raises(RefusedError, match="of another build"):
        build(acting)
    last(acting)
    assert not (acting.folder / "store").exists()


def test_bytes_that_are_not_their_digest_are_refused(acting: Stage) -> None:
    def act(request: BuildRequest) -> Status:
        done = succeed(request, acting.folder / "made")
        for blob in Path(request.store.removeprefix("file://")).glob("blobs/*/*"):
            blob.write_bytes(blob.read_bytes() + b"x")
        return done

    acting.act = act
    with pytest.raises(MachineryError, match="its bytes are not"):
        build(acting)
    last(acting)


@pytest.mark.slow
def test_a_program_that_ends_well_and_leaves_nothing(acting: Stage) -> None:
    acting.act = lambda _: {"jobStatus": "SUCCEEDED", "jobDeploymentStatus": "Complete"}
    with pytest.raises(MachineryError, match="left no result"):
        build(acting)
    last(acting)


def test_what_the_operator_says_is_told() -> None:
    status = {"jobDeploymentStatus": "Failed", "reason": "PreRunningDeadlineExceeded", "message": "no nodes"}
    said = explained(status, RuntimeError("x"))
    assert isinstance(said, MachineryError) and "PreRunningDeadlineExceeded: no nodes" in str(said)
