"""From a model's answers to the bytes of an inference response."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from .decode import InferRequest

_ENCODER = msgspec.json.Encoder()
_TYPES = {"INT64": np.dtype("<i8"), "BOOL": np.dtype("|b1"), "FP32": np.dtype("<f4")}
_KINDS = {"i": "INT64", "u": "INT64", "b": "BOOL", "f": "FP32"}


def encode_response(
    request: InferRequest, model: str, version: str, answers: dict[str, npt.NDArray[Any]], parameters: dict[str, Any]
) -> tuple[bytes, int | None]:
    """The body, and the length of its JSON where tensors follow it as bytes.

    The outputs are those that the request asks for, in its order, in the datatypes of the model's signature; without
    one an array's own type decides. A number that is not finite is null in JSON.
    """
    outputs, tail = [], []
    for name, binary in request.outputs:
        array = answers[name]
        datatype = request.datatypes.get(name) or _KINDS.get(array.dtype.kind, "BYTES")
        head, raw = _output(name, datatype, array, binary)
        outputs.append(head)
        if raw is not None:
            tail.append(raw)
    document: dict[str, Any] = {"model_name": model, "model_version": version, "outputs": outputs}
    if request.id is not None:
        document["id"] = request.id
    if parameters:
        document["parameters"] = parameters
    header = _ENCODER.encode(document)
    return (b"".join((header, *tail)), len(header)) if tail else (header, None)


def _output(name: str, datatype: str, array: npt.NDArray[Any], binary: bool) -> tuple[dict[str, Any], bytes | None]:
    head: dict[str, Any] = {"name": name, "datatype": datatype, "shape": array.shape}
    dtype = _TYPES.get(datatype)
    values = array if dtype is None or array.dtype == dtype else array.astype(dtype)
    if not binary:
        head["data"] = values.ravel().tolist()
        return head, None
    raw = _strings(values) if dtype is None else values.tobytes()
    head["parameters"] = {"binary_data_size": len(raw)}
    return head, raw


def _strings(array: npt.NDArray[Any]) -> bytes:
    texts = [str(text).encode() for text in array.ravel().tolist()]
    return b"".join(part for text in texts for part in (len(text).to_bytes(4, "little"), text))
