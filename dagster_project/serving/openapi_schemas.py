"""JSON Schemas of one model's requests and answers, as OpenAPI 3.1 takes them."""

from typing import Any

from dagster_project.domain.deployment import ServedInput

from .signature import NUMBERS, OutputSpec, Signature

Schema = dict[str, Any]
_DATA = {"INT64": "integer", "BOOL": "boolean", "FP32": "number", "BYTES": "string"}


def request_schema(signature: Signature) -> Schema:
    """An inference request of one row or many; what a schema cannot say is in its description."""
    most = signature.request_rows
    tensors = [_tensor(served, most) for served in signature.inputs]
    if signature.id_column and signature.id_column not in signature.expected:
        ids = ServedInput(name=signature.id_column, dtype="string", description="the rows' ids, for the prediction log")
        tensors.append(_tensor(ids, most))
    if signature.time_column:
        words = "when it happens or happened (ISO 8601; UTC where no zone is named), for the prediction log"
        tensors.append(_tensor(ServedInput(name=signature.time_column, dtype="string", description=words), most))
    required = ", ".join(sorted(signature.required)) or "none"
    inputs = {
        "type": "array",
        "description": f"one tensor a column, all of the same number of rows, each at most once; required: {required}",
        "minItems": max(1, len(signature.required)),
        "maxItems": len(tensors),
        "items": {"oneOf": tensors},
    }
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string", "description": "echoed"},
            "parameters": _parameters("binary_data_output"),
            "inputs": inputs,
            "outputs": _asked(signature.outputs),
        },
    }


def response_schema(signature: Signature) -> Schema:
    """The answer to it, all in JSON."""
    outputs = {"type": "array", "items": {"oneOf": [_answered(output) for output in signature.outputs]}}
    return {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "id": {"type": "string"},
            "model_name": {"type": "string"},
            "model_version": {"type": "string"},
            "parameters": {"type": "object"},
            "outputs": outputs,
        },
    }


def example_request(signature: Signature) -> Schema:
    """One row that the contract lets through."""
    return {"inputs": [_example(served) for served in signature.inputs]}


def _tensor(served: ServedInput, most: int) -> Schema:
    text = served.dtype == "string"
    rows = {"type": "integer", "minimum": 1, "maximum": most}
    sizes = [(served.width,), *([served.shape] if len(served.shape) > 1 else [])]
    shapes = [_shape(rows, size) for size in ([()] if served.width == 1 else []) + sizes]
    return {
        "type": "object",
        "description": served.description or served.name,
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"const": served.name},
            "shape": {"anyOf": shapes} if len(shapes) > 1 else shapes[0],
            "datatype": {"enum": ["BYTES"] if text else list(NUMBERS)},
            "data": {"type": "array", "items": _value(served), "minItems": 1, "description": "flat, or row by row"},
        },
    }


def _shape(rows: Schema, size: tuple[int, ...]) -> Schema:
    length = 1 + len(size)
    return {
        "type": "array", "prefixItems": [rows, *({"const": each} for each in size)], "items": False,
        "minItems": length, "maxItems": length,
    }  # fmt: skip


def _value(served: ServedInput) -> Schema:
    schema: Schema = {"type": "string" if served.dtype == "string" else ["number", "boolean"]}
    if served.enum is not None:
        schema["enum"] = list(served.enum)
    bounds = {"minimum": served.minimum, "maximum": served.maximum, "maxLength": served.max_length}
    schema |= {key: bound for key, bound in bounds.items() if bound is not None}
    return schema if served.required else {"anyOf": [schema, {"type": "null"}]}


def _asked(outputs: tuple[OutputSpec, ...]) -> Schema:
    properties = {"name": {"enum": [output.name for output in outputs]}, "parameters": _parameters("binary_data")}
    item = {"type": "object", "required": ["name"], "properties": properties}
    return {
        "type": "array",
        "items": item,
        "maxItems": len(outputs),
        "uniqueItems": True,
        "description": "none: all of them",
    }


def _parameters(flag: str) -> Schema:
    return {"type": ["object", "null"], "properties": {flag: {"type": "boolean"}}}


def _answered(output: OutputSpec) -> Schema:
    return {
        "type": "object",
        "required": ["name", "datatype", "shape"],
        "properties": {
            "name": {"const": output.name},
            "datatype": {"const": output.datatype},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "data": {"type": "array", "items": {"type": [_DATA[output.datatype], "null"]}},
            "parameters": {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}},
        },
    }


def _example(served: ServedInput) -> Schema:
    datatype = "BYTES" if served.dtype == "string" else "FP32"
    data = [_sample(served)] * served.width
    return {"name": served.name, "shape": [1, served.width], "datatype": datatype, "data": data}


def _sample(served: ServedInput) -> float | str:
    if served.dtype == "string":
        return _category(served) or "text"[: served.max_length]
    if served.enum:
        return float(served.enum[0])
    least = served.minimum if served.minimum is not None else min(0.0, served.maximum or 0.0)
    return float(least)


def _category(served: ServedInput) -> str:
    value = served.enum[0] if served.enum else ""
    return str(value).lower() if isinstance(value, bool) else str(value)
