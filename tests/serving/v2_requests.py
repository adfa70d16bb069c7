"""A signature with every kind of column, and requests to it."""

import json
from typing import Any

import numpy as np

from dagster_project.domain.deployment import ServedInput
from dagster_project.serving.protocol import BadRequest, InferRequest, decode_request
from dagster_project.serving.signature import OutputSpec, Signature

INPUTS = (
    ServedInput(name="carrier", dtype="string", logical_type="string", required=True, enum=("AA", "UA", "9É")),
    ServedInput(name="remark", dtype="string", logical_type="string", max_length=5),
    ServedInput(name="distance", dtype="float32", required=True, minimum=0.1, maximum=5000),
    ServedInput(name="humid", dtype="float32"),
    ServedInput(name="engines", dtype="float32", logical_type="integer", enum=(1, 2, 4)),
    ServedInput(name="seats", dtype="float32", logical_type="integer"),
    ServedInput(name="windy", dtype="float32", logical_type="boolean"),
    ServedInput(name="profile", dtype="float32", width=3, maximum=9),
    ServedInput(name="salary", dtype="float32", maximum=10, restricted=True),
)
OUTPUTS = (OutputSpec("label", "BOOL", 1), OutputSpec("probabilities", "FP32", 2))
SIGNATURE = Signature(INPUTS, OUTPUTS, "flight", request_rows=50, time_column="departs")
GOOD: dict[str, tuple[str, list[int], Any]] = {
    "carrier": ("BYTES", [2], ["AA", "UA"]),
    "distance": ("FP32", [2], [12.5, 300]),
}


def tensor(name: str, datatype: str, shape: list[int], data: Any) -> dict[str, Any]:
    """One entry of ``inputs``."""
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def document(columns: dict[str, tuple[str, list[int], Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A request for ``columns``; of the good ones where none are given."""
    return {"inputs": [tensor(name, *rest) for name, rest in (GOOD if columns is None else columns).items()], **more}


def read(
    body: dict[str, Any] | bytes, header_length: int | None = None, signature: Signature = SIGNATURE
) -> InferRequest:
    """Decode a document, or bytes."""
    return decode_request(body if isinstance(body, bytes) else json.dumps(body).encode(), header_length, signature)


def refusal(body: dict[str, Any] | bytes, header_length: int | None = None, signature: Signature = SIGNATURE) -> str:
    """What a bad request is told; fails where it is taken for a good one."""
    try:
        read(body, header_length, signature)
    except BadRequest as error:
        assert error.status == 400
        assert str(error).encode(), "an error must be fit to be sent"
        return str(error)
    raise AssertionError("the request was taken")


def with_column(name: str, datatype: str, shape: list[int], data: Any) -> dict[str, Any]:
    """The good columns, with one of them put in or replaced."""
    return document({**GOOD, name: (datatype, shape, data)})


def packed(texts: list[bytes]) -> bytes:
    """BYTES as the binary extension sends it."""
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def with_bytes(tensors: list[tuple[str, str, list[int], bytes]], **more: Any) -> tuple[bytes, int]:
    """A body of binary tensors, and the length of its JSON."""
    inputs = [
        {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(raw)}}
        for name, datatype, shape, raw in tensors
    ]
    header = json.dumps({"inputs": inputs, **more}).encode()
    return header + b"".join(raw for *_, raw in tensors), len(header)


def good_bytes() -> list[tuple[str, str, list[int], bytes]]:
    """The good columns as bytes."""
    return [
        ("carrier", "BYTES", [2, 1], packed([b"AA", "9É".encode()])),
        ("distance", "FP32", [2, 1], np.array([12.5, 300], "<f4").tobytes()),
    ]
