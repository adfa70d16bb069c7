"""A build on a real Kubernetes with the real KubeRay: for who has Docker. ``.github/workflows/kind.yml`` makes both.

Everything that the other tests play is real here but the cards: the operator, pods, their rights, the network policies.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dagster_project.domain.build import BuildResult
from dagster_project.domain.lease import LEASE_LABEL
from tests.pipeline.small import ONE_TRIAL, commit, write_repository
from tests.trees import SPEC_FILE

IMAGE = os.environ.get("ACTS_KIND_IMAGE")
PROFILES = """\
schema_version: 1
profiles:
  kind:
    kind: kuberay
    namespace: training
    image: {image}
    service_account: acts-training
    leases: s3://acts/leases
    environment: {{AWS_ENDPOINT_URL: "{storage}", AWS_REGION: us-east-1}}
    secrets: [storage]
    head: {{cpus: 1, memory: 3Gi, price: 0.1}}
    worker: {{cpus: 1, memory: 3Gi, price: 0.1}}
    bounds: {{workers: 1, deadline: PT30M}}
"""
COMPUTE = "compute: {profile: kind, workers: 1, deadline: PT20M, idle_timeout: PT20S}\n"
ACTS = [sys.executable, "-m", "ci.main"]
GONE = 180.0  # seconds until the last pod has left

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(not IMAGE, reason="not checked on a real cluster: ACTS_KIND_IMAGE names no image"),
]


def kubectl(*arguments: str, given: str | None = None) -> str:
    """What kubectl says of the cluster that the kubeconfig names."""
    done = subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A bucket, the profile with its accounts and policies in the cluster, and where everything is."""
    import boto3

    storage = os.environ["AWS_ENDPOINT_URL"]
    boto3.client("s3").create_bucket(Bucket="acts")
    (tmp_path / "compute.yaml").write_text(PROFILES.format(image=IMAGE, storage=storage))
    variables = {"ACTS_COMPUTE": str(tmp_path / "compute.yaml"), "ACTS_WAREHOUSE": "s3://acts/warehouse"}
    made = subprocess.run(
        [*ACTS, "compute", "access", "kind"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    kubectl("apply", "-f", "-", given=made.stdout)
    keys = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "storage", "namespace": "training"}}
    kubectl("apply", "-f", "-", given=json.dumps({**secret, "stringData": keys}))
    return {**os.environ, **variables}


def test_a_build_trains_on_machines_that_come_and_go(environment: dict[str, str], tmp_path: Path) -> None:
    repository = write_repository(tmp_path / "repository", **{SPEC_FILE: ONE_TRIAL + COMPUTE})
    commit(repository)
    command = [*ACTS, "build", "tardy", "--repo", str(repository), "--json"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    result = BuildResult.from_json(done.stdout)
    assert (done.returncode, result.outcome) == (0, "built")
    assert result.lease is not None and result.lease.outcome == "succeeded" and result.lease.amount > 0
    assert {node.kind for node in result.lease.nodes} == {"head", "worker"}
    left = _left_behind()
    until = time.monotonic() + GONE
    while left and time.monotonic() < until:
        time.sleep(5)
        left = _left_behind()
    assert left == []


def _left_behind() -> list[str]:
    """Everything of a lease that is still there."""
    what = "rayjobs,rayclusters,pods,jobs,services,secrets,roles"
    names = kubectl("get", "--namespace", "training", what, "-o", "name", "-l", LEASE_LABEL).split()
    clusters = kubectl("get", "--namespace", "training", "rayclusters,pods", "-o", "name").split()
    return sorted({*names, *clusters})
