"""The reaper: what it deletes, what it leaves alone, and what it writes down."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from dagster_project.compute.__main__ import main
from dagster_project.compute.access import REAPER, RIGHTS
from dagster_project.compute.expiry import DEFAULT_START, GRACE, HEADLESS, Finding, expired
from dagster_project.compute.manifest import rayjob
from dagster_project.compute.pods import labels
from dagster_project.domain.compute import LocalProfile, Profiles
from dagster_project.domain.lease import DEADLINE_LABEL, LEASE_LABEL, Lease, LeaseEnd
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.reaping import reaping_sensors
from dagster_project.storage.leases import LeaseLedger
from tests.compute import leases
from tests.kubernetes.double import Double, kubernetes_double
from tests.kubernetes.world import stamp

NOW = leases.BEGUN + 1000.0
ENDS = leases.lease().ends
Object = dict[str, Any]


def thing(name: str = "one", lease: str = "a1b2c3", made: float = NOW - 900, **status: Any) -> Object:
    """A RayJob or a RayCluster of a lease."""
    labels = {LEASE_LABEL: lease, DEADLINE_LABEL: str(int(ENDS))}
    metadata = {"name": name, "uid": f"uid-{name}", "creationTimestamp": stamp(made), "labels": labels}
    return {"metadata": metadata, "spec": {"preRunningDeadlineSeconds": 600}, "status": status}


def owned(cluster: Object, job: Object, *, kind: str = "RayJob") -> Object:
    owner = {"kind": kind, "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}
    return {**cluster, "metadata": {**cluster["metadata"], "ownerReferences": [owner]}}


def head(ready: bool, since: float) -> Object:
    condition = {"type": "HeadPodReady", "status": str(ready), "lastTransitionTime": stamp(since)}
    return {"conditions": [condition]}


def found(
    jobs: list[Object], clusters: list[Object] | None = None, over: set[str] | None = None, now: float = NOW
) -> list[tuple[str, str]]:
    return [(each.kind, each.why) for each in expired(jobs, clusters or [], over or set(), now)]


RUNNING = thing(jobDeploymentStatus="Running", rayClusterName="ray", startTime=stamp(NOW - 800))
RAY = owned(thing("ray", **head(True, NOW - 800)), RUNNING)


def test_what_runs_within_its_lease_stays() -> None:
    assert found([RUNNING], [RAY]) == []
    assert found([RUNNING], [RAY], now=ENDS + GRACE - 1) == []


def test_what_outlived_its_deadline_goes() -> None:
    late = f"it outlived its deadline by {GRACE + 1:.0f} s"
    assert found([RUNNING], [RAY], now=ENDS + GRACE + 1) == [("RayJob", late), ("RayCluster", late)]


def test_what_outlived_its_lease_goes() -> None:
    over = "the ledger says that its lease is over"
    assert found([RUNNING], [RAY], {"a1b2c3"}) == [("RayJob", over), ("RayCluster", over)]
    assert found([RUNNING], [RAY], {"another"}) == []
    new = thing(made=NOW - GRACE + 5, jobDeploymentStatus="Running", rayClusterName="ray", startTime=stamp(NOW))
    assert found([new], [RAY], {"a1b2c3"}) == [("RayCluster", over)]


def test_leases_whose_launcher_has_ended_go_at_once() -> None:
    new = thing(made=NOW - 1, jobDeploymentStatus="Initializing")
    [finding] = expired([new], [], set(), NOW, {"a1b2c3"})
    assert (finding.why, finding.delete) == ("whoever launched it has ended", True)


@pytest.mark.parametrize("cluster", [RAY, thing("ray")], ids=["that its job owns", "without an owner"])
def test_a_cluster_whose_job_is_gone_goes(cluster: Object) -> None:
    assert found([], [cluster]) == [("RayCluster", "its RayJob is gone")]
    assert found([RUNNING], [cluster]) == []
    young = {**cluster, "metadata": {**cluster["metadata"], "creationTimestamp": stamp(NOW - GRACE + 5)}}
    assert found([], [young]) == []


@pytest.mark.parametrize("stage", ["", "New", "Initializing", "Waiting"])
def test_a_job_that_never_starts_goes(stage: str) -> None:
    def made(age: float) -> Object:
        return thing(made=NOW - age, **({"jobDeploymentStatus": stage} if stage else {}))

    assert found([made(600 + GRACE - 5)]) == []
    assert found([made(600 + GRACE + 5)]) == [("RayJob", f"it has not started, {605 + GRACE:.0f} s after it was made")]
    unbound = {**made(DEFAULT_START - 10), "spec": {}}
    assert found([unbound], now=NOW) == []


def test_a_job_that_says_that_it_runs_without_a_head_goes() -> None:
    dead = owned(thing("ray", **head(False, NOW - HEADLESS - 5)), RUNNING)
    [(kind, why)] = found([RUNNING], [dead])
    assert kind == "RayJob" and "has had no head for" in why
    assert found([RUNNING], [owned(thing("ray", **head(False, NOW - HEADLESS + 5)), RUNNING)]) == []
    assert found([RUNNING], []) == [("RayJob", "it says that it runs, and its cluster has had no head for 800 s")]


@pytest.mark.parametrize("label", [None, "", "soon", "-5", "١٢٣", "1e12", "nan"])
def test_an_unreadable_deadline_is_told_and_deletes_nothing(label: str | None) -> None:
    job = thing(jobDeploymentStatus="Initializing", made=NOW - 10**6)
    del job["metadata"]["labels"][DEADLINE_LABEL]
    if label is not None:
        job["metadata"]["labels"][DEADLINE_LABEL] = label
    [finding] = expired([job], [], {"a1b2c3"}, ENDS + 10**9, {"a1b2c3"})
    assert not finding.delete and "is no time" in finding.why


@pytest.mark.parametrize("labels", [None, {}, {LEASE_LABEL: ""}, {DEADLINE_LABEL: "1"}, {"app": "x"}])
def test_what_is_not_ours_is_not_touched(labels: dict[str, str] | None) -> None:
    other = thing(jobDeploymentStatus="Initializing", made=NOW - 10**6)
    other["metadata"]["labels"] = labels
    if labels is None:
        del other["metadata"]["labels"]
    assert expired([other], [other], {"", "a1b2c3"}, NOW + 10**9, {""}) == ()


def test_what_is_going_is_left_alone() -> None:
    going = {**RUNNING, "metadata": {**RUNNING["metadata"], "deletionTimestamp": stamp(NOW)}}
    assert found([going], [], {"a1b2c3"}, now=ENDS + 10**6) == []


# Against the API double, as the command.

GPU = leases.profile()


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    """The API; the reaper may do what its account may, and no more."""
    profile = leases.profile(leases=(tmp_path / "leases").as_uri())
    profiles = Profiles(schema_version=1, profiles={"local": LocalProfile(kind="local"), "gpu": profile})
    (tmp_path / "compute.yaml").write_text(yaml.safe_dump(profiles.model_dump(mode="json")))
    monkeypatch.setenv("ACTS_COMPUTE", str(tmp_path / "compute.yaml"))
    monkeypatch.setenv("ACTS_LEDGER", str(tmp_path / "ledger"))
    with kubernetes_double() as double:
        rules = [{"apiGroups": [group], "resources": what, "verbs": verbs} for group, what, verbs in RIGHTS[REAPER]]
        file = double.kubeconfig(tmp_path / "kubeconfig", REAPER, rules, "training")
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
        yield double


@pytest.fixture
def ledger(double: Double, tmp_path: Path) -> LeaseLedger:
    return LeaseLedger(str(tmp_path / "ledger"))


def running(double: Double, lease: Lease) -> None:
    """The lease's job, its cluster and two of its pods, as the operator makes them."""
    job = double.world.create("rayjobs", "training", rayjob(lease, GPU))
    named = f"{job['metadata']['name']}-x"
    status = {"jobDeploymentStatus": "Running", "rayClusterName": named, "startTime": stamp(time.time())}
    double.world.update(
        ("rayjobs", "training", job["metadata"]["name"]), lambda old: {**old, "status": status}, part="status"
    )
    owner = {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "name": job["metadata"]["name"],
        "uid": job["metadata"]["uid"],
    }
    metadata = {"name": named, "labels": labels(lease), "ownerReferences": [{**owner, "controller": True}]}
    double.world.create("rayclusters", "training", {"metadata": metadata, "spec": job["spec"]["rayClusterSpec"]})
    for kind in ("head", "worker"):
        told = {**labels(lease), "ray.io/node-type": kind}
        status = {"phase": "Running", "startTime": stamp(time.time() - 60)}
        spec = {"containers": [{"name": "ray", "image": leases.IMAGE}]}
        double.world.create(
            "pods",
            "training",
            {"metadata": {"name": f"{named}-{kind}", "labels": told}, "spec": spec, "status": status},
        )


def lease(identity: str, ends: float, begun: float = 0.0) -> Lease:
    """A lease that ends so many seconds from now."""
    now = time.time()
    return leases.lease(identity=identity).model_copy(update={"begun": now + begun, "ends": now + ends})


def names(double: Double, plural: str) -> list[str]:
    return [each["metadata"]["name"] for each in double.world.all(plural, "training")]


def test_the_command_reaps_and_closes(double: Double, ledger: LeaseLedger, capsys: pytest.CaptureFixture[str]) -> None:
    old, good = lease("old", -1000.0, -3600.0), lease("good", 1000.0, -100.0)
    for each in (old, good):
        ledger.begin(each)
        running(double, each)
    assert main(["reap", "--dry-run"]) == 0
    assert "RayJob acts-old of lease old: would be deleted: it outlived its deadline" in capsys.readouterr().out
    assert len(names(double, "rayjobs")) == 2 and ledger.ends() == []
    assert main(["reap"]) == 0
    said = capsys.readouterr().out
    assert "RayCluster acts-old-x of lease old: deleted" in said and "good" not in said
    assert names(double, "rayjobs") == ["acts-good"] and names(double, "rayclusters") == ["acts-good-x"]
    [end] = ledger.ends()
    assert (end.lease.id, end.outcome, sorted(node.kind for node in end.nodes)) == ("old", "lost", ["head", "worker"])
    assert end.amount == pytest.approx(60 * 1.25 / 3600, rel=0.1) and "at most" in end.reason
    assert [each.id for each in ledger.open()] == ["good"]
    assert main(["reap"]) == 0
    assert "gpu: nothing is left of any lease that is over" in capsys.readouterr().out
    assert len(ledger.ends()) == 1


def test_a_job_that_ends_reaps_its_own(double: Double, ledger: LeaseLedger) -> None:
    mine, anothers = lease("mine", 1000.0), lease("anothers", 1000.0)
    ledger.begin(mine)
    for each in (mine, anothers):
        running(double, each)
    assert main(["reap", "--profile", "gpu", "--unfinished"]) == 0
    assert names(double, "rayjobs") == ["acts-anothers"]
    assert [end.lease.id for end in ledger.ends()] == ["mine"]


def test_what_is_left_for_a_person_is_exit_code_1(double: Double, capsys: pytest.CaptureFixture[str]) -> None:
    running(double, lease("odd", -(10**6)))
    double.world.objects["rayjobs", "training", "acts-odd"]["metadata"]["labels"][DEADLINE_LABEL] = "never"
    assert main(["reap"]) == 1
    assert "left for you to look at: its label threeacts/deadline is no time: 'never'" in capsys.readouterr().out
    assert names(double, "rayjobs") == ["acts-odd"] and names(double, "rayclusters") == []


def test_a_cluster_that_does_not_answer_is_exit_code_3(
    double: Double, ledger: LeaseLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    forgotten = Lease(
        id="local", model="m", build_key="k", compute=leases.lease(profile="local").compute, begun=0.0, ends=9.0
    )
    ledger.begin(forgotten)
    double.faults.next("GET", "rayclusters", status=500)
    assert main(["reap"]) == 3
    assert "can't list rayclusters: 500" in capsys.readouterr().err
    assert [end.lease.id for end in ledger.ends()] == ["local"]
    assert main(["reap", "--profile", "none"]) == 2


def test_another_object_of_the_same_name_is_not_hit(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster_project.compute import reaper

    running(double, lease("old", -1000.0))
    whole = reaper.expired

    def replaced(*given: Any) -> tuple[Finding, ...]:
        """Between the look and the deletion somebody else is quicker, and a new lease gets the name."""
        findings = whole(*given)
        double.world.delete(("rayjobs", "training", "acts-old"))
        double.world.create("rayjobs", "training", rayjob(lease("old", 1000.0), GPU))
        return findings

    monkeypatch.setattr(reaper, "expired", replaced)
    assert main(["reap", "--profile", "gpu"]) == 0
    assert names(double, "rayjobs") == ["acts-old"] and names(double, "rayclusters") == []


def test_two_reapers_at_once(double: Double, ledger: LeaseLedger) -> None:
    from concurrent.futures import ThreadPoolExecutor

    for number in range(4):
        each = lease(f"old{number}", -1000.0)
        ledger.begin(each)
        running(double, each)
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(main, [["reap"], ["reap"]]))
    assert codes == [0, 0] and names(double, "rayjobs") == [] == names(double, "rayclusters")
    assert sorted(end.lease.id for end in ledger.ends()) == [f"old{number}" for number in range(4)]


@pytest.mark.parametrize(("shared", "status"), [(None, "STOPPED"), ("postgresql://u@h/d", "RUNNING")])
def test_the_sensor_reaps(
    double: Double, ledger: LeaseLedger, monkeypatch: pytest.MonkeyPatch, shared: str | None, status: str
) -> None:
    """On by itself only in the team's Dagster; it asks for no run, since it does the work."""
    if shared:
        monkeypatch.setenv("ACTS_DAGSTER_POSTGRES_URL", shared)
    [sensor] = reaping_sensors(Workspace(repo=Path()))
    assert (sensor.name, sensor.default_status.value) == ("reap_gpu", status)
    for each in (lease("old", -1000.0), lease("good", 1000.0)):
        ledger.begin(each)
        running(double, each)
    monkeypatch.delenv("ACTS_DAGSTER_POSTGRES_URL", raising=False)
    with dg.DagsterInstance.ephemeral() as instance:
        answer = sensor(dg.build_sensor_context(instance))
    assert isinstance(answer, dg.SkipReason) and "RayJob acts-old of lease old: deleted" in str(answer.skip_message)
    assert names(double, "rayjobs") == ["acts-good"] and [end.outcome for end in ledger.ends()] == ["lost"]


def test_its_launcher_is_believed_when_both_write(ledger: LeaseLedger) -> None:
    each = lease("slow", -1000.0)
    ledger.begin(each)
    assert main(["reap"]) == 0
    ledger.end(LeaseEnd(lease=each, outcome="deadline", amount=2.0))
    assert [(end.outcome, end.amount) for end in ledger.ends()] == [("deadline", 2.0)]
