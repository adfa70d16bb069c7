"""KubeRay as the double plays it, with Ray's real autoscaler under it: a RayJob's life, and what ends it early."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kubernetes import pods
from tests.kubernetes.operator import Kubernetes, kuberay
from tests.kubernetes.specs import ray_cluster, ray_job
from tests.kubernetes.world import Object

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces of its own need root"),
]
IDLE = 5
LABELS = {"threeacts/lease": "a-lease"}
TASKS = """
import os, time, ray
ray.init()
@ray.remote(num_gpus=1, num_cpus=1)
def task():
    time.sleep({seconds})
    return os.getpid()
print(os.environ["GREETING"], len(ray.get([task.remote() for _ in range(2)])))
"""


@pytest.fixture
def kubernetes() -> Iterator[Kubernetes]:
    with kuberay() as made:
        yield made
    assert [line for cluster in made.kubelet.every for line in cluster.left()] == []


def submit(kubernetes: Kubernetes, folder: Path, seconds: float = 3, **spec: Any) -> None:
    """A RayJob of two GPU tasks of so many seconds."""
    script = folder / "tasks.py"
    script.write_text(TASKS.format(seconds=seconds))
    given = {"runtimeEnvYAML": "env_vars: {GREETING: done}", "cluster": ray_cluster(idle=IDLE), "labels": LABELS}
    entrypoint = spec.pop("entrypoint", f"python {script}")
    job = ray_job("search", entrypoint, **{**given, **spec})
    kubernetes.double.world.create("rayjobs", "training", job)


def status(kubernetes: Kubernetes) -> dict[str, Any]:
    """The RayJob's status."""
    return kubernetes.double.world.get("rayjobs", "training", "search").get("status") or {}


def workers(kubernetes: Kubernetes) -> list[Object]:
    """Pods of workers."""
    return [pod for pod in kubernetes.find("pods") if pod["metadata"]["labels"].get(pods.KIND) == "worker"]


def waited(happens: Callable[[], bool], seconds: float = 120) -> float:
    """Seconds until something was so; fails when it did not become so in time."""
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.2)
    return time.monotonic() - began


def ended(kubernetes: Kubernetes) -> bool:
    """Whether the RayJob's deployment is over."""
    return status(kubernetes).get("jobDeploymentStatus") in ("Complete", "Failed")


def test_a_job_gets_its_nodes_ends_well_and_leaves_itself_alone(kubernetes: Kubernetes, tmp_path: Path) -> None:
    submit(kubernetes, tmp_path, ttlSecondsAfterFinished=60)
    waited(lambda: len(workers(kubernetes)) == 2)
    (cluster,) = kubernetes.find("rayclusters")
    assert cluster["metadata"]["labels"]["ray.io/originated-from-cr-name"] == "search"
    assert all(LABELS.items() <= each["metadata"]["labels"].items() for each in (cluster,))
    waited(lambda: kubernetes.find("rayclusters")[0]["status"]["availableWorkerReplicas"] == 2, 5)
    waited(lambda: ended(kubernetes))
    assert (status(kubernetes)["jobStatus"], status(kubernetes)["succeeded"]) == ("SUCCEEDED", 1)
    assert waited(lambda: not workers(kubernetes)) < IDLE + 5
    assert kubernetes.find("rayclusters"), "it stays for a minute, that lines can be read"
    kubernetes.double.world.delete(("rayjobs", "training", "search"))
    waited(lambda: kubernetes.left() == [], 30)


def test_a_job_that_fails_is_said_to_have(kubernetes: Kubernetes, tmp_path: Path) -> None:
    submit(kubernetes, tmp_path, runtimeEnvYAML="{}", entrypoint="exit 3")
    waited(lambda: ended(kubernetes))
    found = status(kubernetes)
    assert (found["jobDeploymentStatus"], found["reason"], found["failed"]) == ("Failed", "AppFailed", 1)
    waited(lambda: not kubernetes.find("rayclusters") and not kubernetes.kubelet.heads, 30)


def test_the_operator_ends_what_is_past_its_deadline(kubernetes: Kubernetes, tmp_path: Path) -> None:
    submit(kubernetes, tmp_path, seconds=600, activeDeadlineSeconds=40)
    waited(lambda: ended(kubernetes))
    assert status(kubernetes)["reason"] == "DeadlineExceeded"
    waited(lambda: not kubernetes.find("rayclusters") and not kubernetes.kubelet.heads, 30)


def test_a_head_that_is_killed_fails_the_job_and_is_cleaned_up(kubernetes: Kubernetes, tmp_path: Path) -> None:
    submit(kubernetes, tmp_path, seconds=600)
    waited(lambda: len(workers(kubernetes)) == 2)
    (head,) = kubernetes.kubelet.heads.values()
    head.cluster.kill()
    waited(lambda: ended(kubernetes))
    assert status(kubernetes)["reason"] in ("SubmissionFailed", "AppFailed")
    waited(lambda: not kubernetes.find("rayclusters") and not kubernetes.kubelet.heads, 60)


def test_with_a_dead_operator_a_cluster_goes_and_a_job_stays(kubernetes: Kubernetes, tmp_path: Path) -> None:
    submit(kubernetes, tmp_path, seconds=600)
    waited(lambda: len(workers(kubernetes)) == 2)
    kubernetes.operator.alive = False
    world = kubernetes.double.world
    world.delete(("rayjobs", "training", "search"))
    time.sleep(2)
    assert len(workers(kubernetes)) == 2, "a finalizer holds the RayJob, and with it what it owns"
    world.delete(("rayclusters", "training", status(kubernetes)["rayClusterName"]))
    waited(lambda: not kubernetes.find("rayclusters") and not kubernetes.kubelet.heads, 30)
    kubernetes.operator.alive = True
    waited(lambda: kubernetes.left() == [], 30)


def test_suspending_takes_everything_away_and_resuming_begins_again(kubernetes: Kubernetes, tmp_path: Path) -> None:
    submit(kubernetes, tmp_path, suspend=False)
    key = ("rayjobs", "training", "search")
    waited(lambda: bool(kubernetes.find("rayclusters")))
    first = status(kubernetes)["rayClusterName"]
    kubernetes.double.world.update(key, lambda job: {**job, "spec": {**job["spec"], "suspend": True}})
    waited(lambda: status(kubernetes).get("jobDeploymentStatus") == "Suspended")
    assert not kubernetes.find("rayclusters") and not kubernetes.find("jobs")
    kubernetes.double.world.update(key, lambda job: {**job, "spec": {**job["spec"], "suspend": False}})
    waited(lambda: ended(kubernetes))
    assert status(kubernetes)["jobDeploymentStatus"] == "Complete" and status(kubernetes)["rayClusterName"] != first
