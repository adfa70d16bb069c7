"""What Triton's own client sends is read, and what is answered it reads."""

from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton

from dagster_project.serving.protocol import InferRequest, decompress, encode_response
from tests.serving.v2_requests import read

Client = triton.InferenceServerClient
CARRIER = np.array([["AA"], ["9É"]], object)
DISTANCE = np.array([[12.5], [300]], np.float32)
HUMID = np.array([np.nan, 0.5], np.float64)
ANSWERS = {"label": np.array([0, 1]), "probabilities": np.array([[0.75, 0.25], [0.1, 0.9]], np.float32)}


def _inputs(binary: bool) -> list[Any]:
    made = []
    for name, datatype, array in (
        ("carrier", "BYTES", CARRIER),
        ("distance", "FP32", DISTANCE),
        ("humid", "FP64", HUMID),
    ):
        entry = triton.InferInput(name, list(array.shape), datatype)
        made.append(entry.set_data_from_numpy(array, binary_data=binary))
    return made


def _read(binary: bool, outputs: list[Any] | None = None, **more: Any) -> InferRequest:
    body, length = Client.generate_request_body(_inputs(binary), outputs=outputs, **more)
    return read(body, length)


@pytest.mark.parametrize("binary", [True, False])
def test_its_requests_are_read(binary: bool) -> None:
    request = _read(binary, request_id="r1", priority=3, timeout=1000)
    assert request.id == "r1" and request.parameters["timeout"] == 1000
    np.testing.assert_array_equal(request.columns.arrays()["carrier"], CARRIER)
    np.testing.assert_array_equal(request.columns.arrays()["distance"], DISTANCE)
    np.testing.assert_array_equal(request.columns.arrays()["humid"], HUMID.reshape(2, 1))
    assert request.outputs == (("label", True), ("probabilities", True))


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("answered", [True, False, None])
def test_it_reads_the_answers(sent: bool, answered: bool | None) -> None:
    outputs = None
    if answered is not None:
        names = ("probabilities", "label")
        outputs = [triton.InferRequestedOutput(name, binary_data=answered, class_count=0) for name in names]
    body, length = encode_response(_read(sent, outputs), "late", "abc", ANSWERS, {"ids": ["a", "b"]})
    result = Client.parse_response_body(body, header_length=length)
    np.testing.assert_array_equal(result.as_numpy("label"), [False, True])
    np.testing.assert_array_equal(result.as_numpy("probabilities"), ANSWERS["probabilities"])
    assert result.get_response()["parameters"] == {"ids": ["a", "b"]}


@pytest.mark.parametrize("binary", [True, False])
def test_it_reads_labels_that_are_text(binary: bool) -> None:
    request = _read(True, [triton.InferRequestedOutput("label", binary_data=binary)])
    request.datatypes = {"label": "BYTES"}
    body, length = encode_response(request, "m", "1", {"label": np.array(["é", ""], object)}, {})
    found = Client.parse_response_body(body, header_length=length).as_numpy("label").tolist()
    assert [value.decode() if isinstance(value, bytes) else value for value in found] == ["é", ""]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_what_it_compresses_is_opened(algorithm: str) -> None:
    import gzip
    import zlib

    body, length = Client.generate_request_body(_inputs(True))
    # the client does this itself while it sends (tritonclient/http/_client.py, infer)
    packed = {"gzip": gzip.compress, "deflate": zlib.compress}[algorithm](body)
    assert read(decompress(packed, algorithm, 10_000), length).rows == 2
