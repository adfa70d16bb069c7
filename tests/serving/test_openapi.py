"""The OpenAPI document is valid, names every path, and its examples are good requests."""

import json

import jsonschema
import numpy as np
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from dagster_project.domain.deployment import ServedInput
from dagster_project.serving.openapi import openapi_document
from dagster_project.serving.openapi_schemas import request_schema, response_schema
from dagster_project.serving.protocol import encode_response
from dagster_project.serving.signature import OutputSpec, Signature
from tests.serving.v2_requests import GOOD, INPUTS, SIGNATURE, document, read

VALUE = (OutputSpec("value", "FP32", 1),)
ONE = Signature((ServedInput(name="x", dtype="float32", minimum=-4, maximum=-2),), VALUE)
MODELS = {"late_arrival": SIGNATURE, "arrival_delay": ONE}


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(openapi_document(MODELS, "1.0")).validate()
    OpenAPIV31SpecValidator(openapi_document({}, "1.0")).validate()


def test_every_path_is_there_for_every_model() -> None:
    paths = openapi_document(MODELS, "1.0")["paths"]
    below = ("", "/ready", "/infer", "/explain")
    for model in MODELS:
        for version in ("", "/versions/{version}"):
            assert {f"/v2/models/{model}{version}{end}" for end in below} <= set(paths)
        assert f"/v2/models/{model}/labels" in paths and f"/v2/models/{model}/versions/{{version}}/labels" not in paths
        assert set(paths[f"/v2/models/{model}/review"]) == {"get", "post"}
    server = {
        "/v2",
        "/v2/review",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/repository/index",
        "/metrics",
        "/openapi.json",
    }
    assert server <= set(paths)
    responses = paths["/v2/models/late_arrival/infer"]["post"]["responses"]
    assert {"200", "400", "401", "403", "404", "413", "415", "429", "503", "504"} <= set(responses)
    assert responses["400"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


@pytest.mark.parametrize("name", MODELS)
def test_the_examples_are_good_requests_by_the_schema_and_by_the_reader(name: str) -> None:
    operation = openapi_document(MODELS, "1.0")["paths"][f"/v2/models/{name}/infer"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["examples"]["one row"]["value"]
    jsonschema.validate(example, request_schema(MODELS[name]))
    assert read(example, signature=MODELS[name]).rows == 1


def test_requests_and_answers_fit_their_schemas() -> None:
    schema = request_schema(SIGNATURE)
    columns = {**GOOD, "profile": ("FP32", [2, 3], [1, 2, 3, 4, 5, None]), "flight": ("BYTES", [2, 1], ["a", "b"])}
    jsonschema.validate(document(columns, id="1"), schema)
    answers = {"label": np.array([0, 1]), "probabilities": np.array([[0.5, np.nan]] * 2, np.float32)}
    content, _ = encode_response(read(document()), "m", "1", answers, {"ids": ["a"]})
    jsonschema.validate(json.loads(content), response_schema(SIGNATURE))


@pytest.mark.parametrize(
    "columns",
    [
        {**GOOD, "carrier": ("BYTES", [2], ["ZZ", "AA"])},
        {**GOOD, "distance": ("FP32", [2], [1, 5001])},
        {**GOOD, "distance": ("FP32", [2], [1, None])},
        {**GOOD, "nobody": ("FP32", [2], [1, 2])},
        {**GOOD, "remark": ("BYTES", [2], ["123456", ""])},
        {**GOOD, "humid": ("BYTES", [2], ["a", "b"])},
        {**GOOD, "profile": ("FP32", [2, 2], [1, 2, 3, 4])},
        {},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(columns: dict[str, tuple[str, list[int], list[object]]]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document(columns), request_schema(SIGNATURE))


def test_every_input_has_its_own_example() -> None:
    example = openapi_document({"m": Signature(INPUTS, VALUE)}, "1")["paths"]["/v2/models/m/infer"]["post"]
    value = example["requestBody"]["content"]["application/json"]["examples"]["one row"]["value"]
    assert [entry["name"] for entry in value["inputs"]] == [served.name for served in INPUTS]
