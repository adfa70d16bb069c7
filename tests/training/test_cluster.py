"""Which Ray a build trains on, what a trial takes there, and what is said while it waits."""

import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.domain.build import TrainingResult
from dagster_project.domain.compute import Compute
from dagster_project.training.cluster import Cluster, at_once, is_job, ray_storage, room
from dagster_project.training.recorder import Waiting, lacking

from .conftest import command

JOB = {"RAY_ADDRESS": "10.0.0.1:6379", "RAY_JOB_CONFIG_JSON_ENV_VAR": "{}"}


@pytest.mark.parametrize(("environment", "job"), [(JOB, True), ({"RAY_ADDRESS": "10.0.0.1:6379"}, False), ({}, False)])
def test_an_address_in_somebodys_shell_makes_no_job(environment, job):
    assert is_job(environment) == job


@pytest.mark.parametrize(
    ("compute", "slots", "trials"),
    [
        (Compute(), 2, 2),
        (Compute(processes_per_trial=2), 4, 2),
        (Compute(processes_per_trial=3), 2, 1),
        (Compute(gpus_per_trial=1), None, None),
    ],
)
def test_trials_beside_each_other(compute, slots, trials):
    assert at_once(compute, Cluster("/folder", slots)) == trials


def test_room_for_trials_of_several_processes():
    compute = Compute(gpus_per_trial=4)
    assert room(compute, {"CPU": 64, "GPU": 16}) == 4
    assert room(compute, {"CPU": 6, "GPU": 16}) == 1
    assert room(compute, {"CPU": 64}) == 0


def test_storage_of_ray(tmp_path):
    assert ray_storage(str(tmp_path)) == {"storage_path": str(tmp_path)}
    assert ray_storage(tmp_path.as_uri()) == {"storage_path": str(tmp_path)}
    storage = ray_storage("s3://bucket/out")
    assert storage["storage_path"] == "bucket/out"
    assert storage["storage_filesystem"].type_name.startswith("py::fsspec")


def test_what_is_lacking():
    assert lacking({"CPU": 2, "GPU": 1}, {"CPU": 1.0}) == "2 CPU and 1 GPU"
    assert lacking({"CPU": 2, "GPU": 0}, {"CPU": 2.0}) == ""


def test_waiting_is_said_again_each_minute_and_when_it_is_over(monkeypatch):
    there: dict[str, float] = {}
    monkeypatch.setattr("dagster_project.training.recorder.resources", lambda: there)
    said: list[str] = []
    waiting = Waiting({"GPU": 1}, type("Shown", (), {"say": staticmethod(said.append)})())  # type: ignore[arg-type]
    for second in range(0, 100):
        waiting.look(float(second))
    there["GPU"] = 1.0
    for second in range(100, 200):
        waiting.look(float(second))
    assert said == [
        "waiting for machines with 1 GPU, for 0 s now",
        "waiting for machines with 1 GPU, for 60 s now",
        "machines are there after 100 s",
    ]


HEAD = """
import json, os, subprocess, sys
from dagster_project.training.local_ray import local_ray
with local_ray(2):
    import ray
    address = ray.get_runtime_context().gcs_address
    job = {"RAY_ADDRESS": address, "RAY_JOB_CONFIG_JSON_ENV_VAR": json.dumps({"metadata": {}})}
    code = subprocess.run(sys.argv[1:], env={**os.environ, **job}).returncode
    print("still there:", len(ray.nodes()), flush=True)
sys.exit(code)
"""


READY = """
import os, sys
from dagster_project.training import local_ray
local_ray._start = lambda *_: print("Ray starts")
def ready():
    loaded = [name for name in ("ray", "polars", "sklearn.linear_model") if name in sys.modules]
    print(loaded, os.environ["RAY_AUTH_MODE"], os.path.exists(os.environ["RAY_AUTH_TOKEN_PATH"]))
with local_ray.local_ray(2, ready=ready):
    pass
"""


def test_what_goes_on_beside_rays_start_begins_when_everything_is_loaded(environment):
    run = subprocess.run([sys.executable, "-c", READY], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["['ray', 'polars', 'sklearn.linear_model'] token True", "Ray starts"]


@pytest.mark.slow
def test_a_job_trains_on_the_cluster_that_started_it(request_for, environment, tmp_path):
    request = request_for("binary", families=["logistic_regression", "mlp"])
    request = request.model_copy(update={"checkpoints": str(tmp_path / "checkpoints")})
    words = [sys.executable, "-c", HEAD, *command(request)]
    run = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=280)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "still there: 1" in run.stdout
    assert TrainingResult.from_json(Path(request.result).read_bytes()).trials == 2
