"""Ray's real autoscaler on this machine: from no GPU node to two and back, and nothing left however it ends."""

import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kubernetes import processes, ray_settings, shared_memory
from tests.kubernetes.cluster import Cluster, start
from tests.kubernetes.specs import pod, ray_cluster

IDLE = 10
TASKS = """
import os, time, ray
ray.init()
@ray.remote(num_gpus=1, num_cpus=1)
def task():
    time.sleep(5)
    return ray.get_runtime_context().get_node_id(), os.environ["CUDA_VISIBLE_DEVICES"]
print("ran on", sorted(set(ray.get([task.remote() for _ in range(4)]))))
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces of its own need root")


def test_groups_become_node_types() -> None:
    spec = ray_cluster(most=3, idle=90)
    spec["workerGroupSpecs"][0]["template"] = pod(cpu="1500m", gpu="2")
    settings = ray_settings.autoscaling(spec, "10.0.0.2")
    gpu = settings["available_node_types"]["gpu"]
    assert gpu["resources"] == {"CPU": 2, "GPU": 2, "object_store_memory": ray_settings.OBJECT_STORE}
    assert (gpu["min_workers"], gpu["max_workers"], settings["max_workers"]) == (0, 3, 3)
    assert settings["idle_timeout_minutes"] == 1.5
    assert settings["available_node_types"]["ray.head.default"]["resources"] == {"CPU": 0}


def test_the_head_has_the_cpus_of_its_parameters() -> None:
    assert "--num-cpus=0" in ray_settings.start_command(ray_cluster(), "10.0.0.2", "/tmp/x")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A cluster with a head and no workers; nothing of it may be left."""
    shared = shared_memory.left_over()
    made = start(ray_cluster(idle=IDLE), token=secrets.token_hex(32))
    try:
        made.wait_ready()
        yield made
    finally:
        made.stop()
    assert made.seen and made.left() == []
    assert shared_memory.left_over() <= shared


@needs_root
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own, when it is imported
def test_gpu_nodes_come_when_tasks_wait_and_go_when_idle(cluster: Cluster, tmp_path: Path) -> None:
    from ray.job_submission import JobStatus, JobSubmissionClient

    script = tmp_path / "tasks.py"
    script.write_text(TASKS)
    client = JobSubmissionClient(cluster.url, headers=cluster.headers)
    assert cluster.workers() == []
    job = client.submit_job(entrypoint=f"python {script}")
    most = 0

    def ended() -> bool:
        nonlocal most
        most = max(most, len(cluster.workers()))
        return client.get_job_status(job).is_terminal()

    waited(ended, 180)
    logs = client.get_job_logs(job)
    assert client.get_job_status(job) == JobStatus.SUCCEEDED, logs
    assert most == 2 and "00001" in logs and "00002" in logs and "'0'" in logs
    assert waited(lambda: not cluster.workers(), IDLE + 5) <= IDLE + 5


@needs_root
@pytest.mark.slow
def test_a_killed_head_takes_everything_with_it(cluster: Cluster) -> None:
    cluster.kill()
    assert waited(lambda: not cluster.nodes(), 10) < 10
    assert all("process" not in line for line in cluster.left())


@needs_root
@pytest.mark.slow
def test_who_has_no_token_is_refused(cluster: Cluster) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{cluster.url}/api/jobs/", timeout=5)
    refused.value.close()
    assert refused.value.code == 401


STARTS = """
import sys
from tests.kubernetes.cluster import start
from tests.kubernetes.specs import ray_cluster
made = start(ray_cluster())
print(made.init.pid, made.folder, flush=True)
sys.stdin.read()
"""


@needs_root
def test_a_cluster_does_not_outlive_who_started_it() -> None:
    program = [sys.executable, "-c", STARTS]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(program, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        namespace = processes.pid_namespace(int(pid))
        assert namespace is not None and processes.within(namespace)
        parent.kill()
    waited(lambda: not processes.within(namespace), 10)
    shutil.rmtree(folder)


def waited(happens: Callable[[], bool], seconds: float) -> float:
    """Seconds until something was so; fails when it did not become so in time."""
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.2)
    return time.monotonic() - began
