"""What the server says of itself and of a model."""

from collections.abc import Sequence
from importlib.metadata import version as version_of
from typing import Any

from dagster_project.domain.deployment import ServedInput

from .signature import Signature

NAME = "threeacts"
VERSION = version_of(NAME)
EXTENSIONS = ("binary_tensor_data", "model_repository")
_DETAILS = ("logical_type", "description", "required", "enum", "minimum", "maximum", "max_length", "modality", "shape")


def server_metadata(name: str = NAME, version: str = VERSION, extensions: Sequence[str] = EXTENSIONS) -> dict[str, Any]:
    """The answer to ``GET /v2``."""
    return {"name": name, "version": version, "extensions": list(extensions)}


def model_metadata(name: str, versions: Sequence[str], platform: str, signature: Signature) -> dict[str, Any]:
    """The answer to ``GET /v2/models/M``; an input's ``parameters`` are what the contract says of it."""
    return {
        "name": name,
        "versions": list(versions),
        "platform": platform,
        "inputs": [_input(served) for served in signature.inputs],
        "outputs": [{"name": o.name, "datatype": o.datatype, "shape": o.shape} for o in signature.outputs],
        "parameters": {
            "id_column": signature.id_column,
            "time_column": signature.time_column,
            "request_rows": signature.request_rows,
        },
    }


def _input(served: ServedInput) -> dict[str, Any]:
    said = served.model_dump(mode="json", include=set(_DETAILS), exclude_none=True)
    datatype = "BYTES" if served.dtype == "string" else "FP32"
    shape = [-1, *(served.shape or (served.width,))]
    return {"name": served.name, "datatype": datatype, "shape": shape, "parameters": said}
