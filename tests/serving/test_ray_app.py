"""The server under Ray Serve, with the flags of the manifest: a real Ray, HAProxy and a real client."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.deployment import DesiredModel
from dagster_project.domain.workspace import Workspace
from dagster_project.inference.predictor import OnnxPredictor
from dagster_project.serving.rayservice import FLAGS
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.local_ray import short_folder
from dagster_project.training.watcher import session_processes
from tests.serving import served
from tests.serving.log_rows import frames, wait_for

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-this-test"
ROWS = {"miles": [100.0, 3.0, 50.0], "seats": [2.0, 0.0, -1.0], "carrier": ["UA", "AA", "é"]}


@pytest.fixture
def published(tmp_path: Path) -> tuple[Workspace, DesiredModel]:
    """A store with one deployed champion."""
    workspace = Workspace(repo=tmp_path)
    store = ArtifactStore(workspace.store)
    desired = served.desired(store)
    served.publish(store, workspace.serving, desired)
    return workspace, desired


@pytest.mark.slow
def test_a_client_wakes_a_replica_and_gets_the_models_answers(published: tuple[Workspace, DesiredModel]) -> None:
    from tritonclient.http import InferenceServerClient

    workspace, desired = published
    expected = answers_of(workspace, desired)
    with on_ray(workspace) as address:
        client = InferenceServerClient(address, connection_timeout=60, network_timeout=60)
        try:
            assert infer(client, binary=True) == expected  # no replica before: this one waits for a warm server
            assert infer(client, binary=False) == expected
            assert client.is_server_ready() and client.is_model_ready("delays", headers=authorized())
            metadata = client.get_model_metadata("delays", headers=authorized())
            assert [entry["name"] for entry in metadata["inputs"]] == list(ROWS)
            assert_refused_without_token(client)
        finally:
            client.close()
        (report,) = Deployments(ArtifactStore(workspace.store), workspace.serving).reports()
        assert report.models["delays"].versions[0].onnx == desired.onnx
    assert_ended_well(workspace, report.server)


def answers_of(workspace: Workspace, desired: DesiredModel) -> list[list[Any]]:
    """What the bundle's own predictor says to ``ROWS``: labels, and probabilities in float32."""
    store = ArtifactStore(workspace.store)
    predictor = OnnxPredictor(store.get(desired.onnx), BundleManifest.from_json(store.get(desired.lock.bundle)))
    answers = predictor.predict({name: np.array(values) for name, values in ROWS.items()})
    return [answers.labels.tolist(), np.asarray(answers.scores, np.float32).tolist()]


def infer(client: Any, *, binary: bool) -> list[list[Any]]:
    """The same, asked over HTTP; inputs and outputs as binary tensors, or as JSON."""
    from tritonclient.http import InferInput, InferRequestedOutput

    inputs = []
    for name, values in ROWS.items():
        text = isinstance(values[0], str)
        tensor = InferInput(name, [len(values), 1], "BYTES" if text else "FP32")
        array = np.array(values, object if text else np.float32).reshape(-1, 1)
        tensor.set_data_from_numpy(array, binary_data=binary)
        inputs.append(tensor)
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in ("label", "probabilities")]
    answer = client.infer("delays", inputs, outputs=outputs, headers=authorized())
    return [answer.as_numpy("label").reshape(-1).tolist(), answer.as_numpy("probabilities").tolist()]


def authorized() -> dict[str, str]:
    """New ones for every call: the client writes its own headers into them."""
    return {"Authorization": f"Bearer {TOKEN}"}


def assert_refused_without_token(client: Any) -> None:
    """401, and only that."""
    from tritonclient.utils import InferenceServerException

    with pytest.raises(InferenceServerException) as refused:
        client.get_model_metadata("delays")
    assert refused.value.status() == "401"


def assert_ended_well(workspace: Workspace, server: str) -> None:
    """The replica took its report away, and every row that it answered is in finished segments of its own."""
    assert Deployments(ArtifactStore(workspace.store), workspace.serving).reports() == []
    logged = frames(workspace.serving_log)
    assert {frame.server for frame in logged} == {server}
    assert sum(int(count) for frame in logged for count in np.frombuffer(frame.rows, "<u4")) == 2 * len(ROWS["miles"])
    assert not list(workspace.serving_log.glob("*.open"))


@contextmanager
def on_ray(workspace: Workspace) -> Iterator[str]:
    """host:port of a running application. No process may be left when it was asked to end, and none is after all."""
    with tempfile.TemporaryDirectory(prefix="acts-serve-", dir=short_folder()) as folder:
        port, *others = free_ports(4)
        command = [sys.executable, "-m", "tests.serving.on_ray", str(port)]
        log = workspace.repo / "ray.log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment(workspace, Path(folder), others), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "serving\n", log.read_text()
            yield f"127.0.0.1:{port}"
            process.communicate(timeout=150)
            assert process.returncode == 0, log.read_text()
            assert not session_processes(folder, set())
        finally:
            process.kill()
            process.communicate(timeout=60)
            wait_for(lambda: not session_processes(folder, set()), seconds=30)


def environment(workspace: Workspace, folder: Path, ports: list[int]) -> dict[str, str]:
    """The manifest's flags, and whatever else would be shared with others on this machine kept apart."""
    foreign = ("ACTS_", "RAY_", "DAGSTER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    tokens = folder / "tokens.yaml"
    entry = {"name": "client", "roles": ["infer"], "sha256": sha256(TOKEN.encode()).hexdigest()}
    tokens.touch(mode=0o600)
    tokens.write_text(yaml.safe_dump({"tokens": [entry]}))
    stats, metrics, fallback = map(str, ports)
    return {
        **kept, **FLAGS, "HOME": str(folder), "TMPDIR": str(folder), "ACTS_REPO": str(workspace.repo),
        "ACTS_TOKENS_FILE": str(tokens), "ACTS_POLL": "0.1",
        "RAY_SERVE_HAPROXY_STATS_PORT": stats, "RAY_SERVE_HAPROXY_METRICS_PORT": metrics,
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": fallback,
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{folder}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{folder}/admin.sock",
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": f"{folder}/metrics.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{folder}/server-state",
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
    }  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
