"""The clients that people have: Triton's and KServe's."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.environments import environment
from tests.serving import served
from tests.serving.running import Server

KSERVE = "kserve==0.21.0"


@pytest.fixture
def client(server: Server) -> Iterator[triton.InferenceServerClient]:
    """Triton's HTTP client."""
    made = triton.InferenceServerClient(server.host)
    yield made
    made.close()


def inputs(binary: bool) -> list[triton.InferInput]:
    """Two rows."""
    miles, carrier = triton.InferInput("miles", [2, 1], "FP32"), triton.InferInput("carrier", [2, 1], "BYTES")
    miles.set_data_from_numpy(np.array([[100.0], [50.0]], np.float32), binary_data=binary)
    carrier.set_data_from_numpy(np.array([["UA"], ["é"]], object), binary_data=binary)
    return [miles, carrier]


EXPECTED = [served.late(100, 0, "UA"), served.late(50)]


@pytest.mark.parametrize("answered", [None, False, True])
@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_triton_reads_and_writes_json_and_binary(
    client: triton.InferenceServerClient, sent: bool, answered: bool | None, compression: str | None
) -> None:
    outputs = None
    if answered is not None:
        outputs = [triton.InferRequestedOutput(name, binary_data=answered) for name in ("probabilities", "label")]
    answer = client.infer("delays", inputs(sent), outputs=outputs, request_compression_algorithm=compression)
    np.testing.assert_allclose(answer.as_numpy("probabilities")[:, 1], EXPECTED, atol=1e-6)
    assert answer.as_numpy("label").reshape(-1).tolist() == [True, True]


def test_triton_sees_health_metadata_and_errors(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("delays")
    assert not client.is_model_ready("nobody")
    assert client.get_server_metadata()["name"] == "threeacts"
    metadata = client.get_model_metadata("delays")
    assert [entry["datatype"] for entry in metadata["inputs"]] == ["FP32", "FP32", "BYTES"]
    assert client.get_model_repository_index()[0]["name"] == "delays"
    with pytest.raises(InferenceServerException, match=r"\[404\].*nobody"):
        client.infer("nobody", inputs(True))
    bad = triton.InferInput("carrier", [1, 1], "BYTES")
    bad.set_data_from_numpy(np.array([["ZZ"]], object))
    with pytest.raises(InferenceServerException, match="carrier"):
        client.infer("delays", [bad])


@pytest.mark.slow
def test_kserve_reads_and_writes_json_and_binary(server: Server) -> None:
    python = environment("kserve", KSERVE)
    program = Path(__file__).with_name("kserve_calls.py")
    done = subprocess.run([python, program, server.url], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    assert found.pop("live") and found.pop("ready") and found.pop("model ready")
    assert len(found) == 2
    for values in found.values():
        np.testing.assert_allclose(values, EXPECTED, atol=1e-6)
