"""The server's OpenAPI 3.1 document, with every model's requests spelled out."""

from collections.abc import Mapping
from typing import Any

from .openapi_labels import WORDS, answer_schema, example_labels, labels_schema
from .openapi_review import MODELS, SKIP, SKIPPED, WHO, asked_schema
from .openapi_review import WORDS as REVIEW_WORDS
from .openapi_schemas import Schema, example_request, request_schema, response_schema
from .signature import Signature

_REASONS = {
    "400": "the request is wrong; every problem with its column",
    "401": "no token, or one that is not known",
    "403": "the token's role may not do this",
    "404": "no such model or version",
    "413": "the body is too large",
    "415": "the body's encoding is not known",
    "429": "too much is waiting; Retry-After says when to come again",
    "503": "not ready",
    "504": "the deadline was over before the model ran",
}
_TENSORS = {"type": "string", "format": "binary", "description": "JSON, and the tensors' bytes behind it"}
_BINARY = (
    "Tensors may also be sent as bytes: the header Inference-Header-Content-Length says how long the JSON is, each "
    "tensor's parameters.binary_data_size how many of the bytes behind it are its own, in place of its data."
)
_VERSION = {
    "name": "version",
    "in": "path",
    "required": True,
    "description": "the first twelve digits of the model's digest",
    "schema": {"type": "string"},
}


def openapi_document(models: Mapping[str, Signature], version: str) -> dict[str, Any]:
    """The document for the models that are served now; ``version`` is the server's."""
    paths = _server_paths()
    schemas: dict[str, Schema] = {"Error": _error()}
    for number, (name, signature) in enumerate(sorted(models.items())):
        # a component's key has fewer characters to choose from than a model's name
        keys = f"Request{number}", f"Response{number}"
        schemas |= {
            keys[0]: {"title": f"request of {name}", **request_schema(signature)},
            keys[1]: {"title": f"answer of {name}", **response_schema(signature)},
        }
        paths |= _model_paths(name, *keys, example_request(signature))
        paths |= _labels_path(name, signature) | _review_path(name, signature)
    return {
        "openapi": "3.1.0",
        "info": {"title": "threeacts champions", "version": version, "description": "Open Inference Protocol V2"},
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _server_paths() -> dict[str, Any]:
    guarded = ("401", "403", "429")
    ready = {"type": "object", "required": ["ready"], "properties": {"ready": {"type": "boolean"}}}
    not_ready = _json("some desired model does not answer yet", ready)
    return {
        "/v2": {"get": _operation("what the server is", _object("name", "version", "extensions"), guarded)},
        "/v2/health/live": {"get": _operation("whether the process answers", _object("live"))},
        "/v2/health/ready": {"get": _operation("whether all models answer", ready, more={"503": not_ready})},
        "/v2/review": {"get": _operation("models that people may be asked about", MODELS, guarded)},
        "/v2/repository/index": {"post": _operation("the models, as Triton lists them", {"type": "array"}, guarded)},
        "/metrics": {"get": _operation("for Prometheus", {"type": "string"}, guarded, "text/plain")},
        "/openapi.json": {"get": _operation("this document", {"type": "object"}, guarded)},
    }


def _model_paths(name: str, request: str, response: str, example: Schema) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for below, parameters in (("", []), ("/versions/{version}", [_VERSION])):
        at = f"/v2/models/{name}{below}"
        looks = ("401", "403", "404", "429")
        described = _operation(f"what {name} takes and answers", _object("name", "inputs", "outputs"), looks)
        state = _object("name", "ready")
        ready = _operation(f"whether {name} answers", state, looks, more={"503": _json("not yet", state)})
        found = {"": {"get": described}, "/ready": {"get": ready}}
        found["/infer"] = {"post": _call(f"answers of {name}", request, _reference(response), example)}
        found["/explain"] = {"post": _call(f"why {name} answers so", request, _object("outputs"), example)}
        shared = {"parameters": parameters} if parameters else {}
        paths |= {at + end: {**shared, **operations} for end, operations in found.items()}
    return paths


def _labels_path(name: str, signature: Signature) -> dict[str, Any]:
    reasons = tuple(status for status in _REASONS if status not in ("503", "504"))
    more = {"503": _json("the labels could not be written", _reference("Error"))}
    operation = _operation(f"what is true of rows that {name} answered", answer_schema(), reasons, more=more)
    operation["description"] = WORDS
    body = {"schema": labels_schema(signature), "examples": {"one label": {"value": example_labels(signature)}}}
    operation["requestBody"] = {"required": True, "content": {"application/json": body}}
    return {f"/v2/models/{name}/labels": {"post": operation}}


def _review_path(name: str, signature: Signature) -> dict[str, Any]:
    reasons = ("400", "401", "403", "404", "429")
    more = {"503": _json("the queue could not be read or written", _reference("Error"))}
    asked = _operation(f"rows of {name} that a person is asked about", asked_schema(signature), reasons, more=more)
    asked |= {"description": REVIEW_WORDS, "parameters": [WHO]}
    skipped = _operation("ask this person no more about a row", SKIPPED, (*reasons, "413", "415"), more=more)
    skipped["requestBody"] = {"required": True, "content": {"application/json": {"schema": SKIP}}}
    return {f"/v2/models/{name}/review": {"get": asked, "post": skipped}}


def _call(summary: str, request: str, answer: Schema, example: Schema) -> dict[str, Any]:
    json_body = {"schema": _reference(request), "examples": {"one row": {"value": example}}}
    operation = _operation(summary, answer, tuple(_REASONS))
    operation["responses"]["200"]["content"]["application/octet-stream"] = {"schema": _TENSORS}
    operation["description"] = _BINARY
    operation["requestBody"] = {"required": True, "content": {"application/json": json_body}}
    return operation


def _operation(
    summary: str,
    answer: Schema,
    errors: tuple[str, ...] = (),
    media: str = "application/json",
    more: Schema | None = None,
) -> dict[str, Any]:
    refused = {status: _json(_REASONS[status], _reference("Error")) for status in errors}
    if "429" in refused:
        refused["429"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
    fine = {"description": "as asked", "content": {media: {"schema": answer}}}
    return {"summary": summary, "responses": {"200": fine, **refused, **(more or {})}}


def _json(description: str, schema: Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(*required: str) -> Schema:
    return {"type": "object", "required": list(required)}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _error() -> Schema:
    return {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
