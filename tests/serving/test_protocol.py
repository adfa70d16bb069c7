"""What is a good request, and what becomes of it: JSON, bytes, missing values, outputs, ids."""

import json
from typing import Any

import numpy as np
import pytest

from dagster_project.serving.problems import BadRequest
from dagster_project.serving.protocol import InferRequest, encode_response, model_metadata, server_metadata
from tests.serving.v2_requests import (
    GOOD,
    SIGNATURE,
    document,
    good_bytes,
    read,
    refusal,
    tensor,
    with_bytes,
    with_column,
)


def column(request: InferRequest, name: str) -> list[Any]:
    assert request.columns.arrays()[name].shape == (request.rows, SIGNATURE.expected[name].width)
    return request.columns.arrays()[name].ravel().tolist()


def test_a_request_becomes_columns_of_the_signatures_types() -> None:
    request = read(document(id="a", parameters={"anything": 1}))
    assert (request.id, request.rows, request.ids, request.parameters) == ("a", 2, None, {"anything": 1})
    assert column(request, "carrier") == ["AA", "UA"] and column(request, "distance") == [12.5, 300.0]
    types = {name: array.dtype for name, array in request.columns.arrays().items()}
    assert types == {e.name: np.dtype(object if e.dtype == "string" else np.float32) for e in SIGNATURE.inputs}
    assert all(array.flags.c_contiguous and array.flags.writeable for array in request.columns.arrays().values())


def test_an_absent_optional_column_is_missing_in_every_row() -> None:
    request = read(document())
    assert column(request, "remark") == ["", ""]
    assert np.isnan(request.columns.arrays()["humid"]).all() and np.isnan(request.columns.arrays()["profile"]).all()


def test_null_and_nan_are_missing() -> None:
    nulls = {**GOOD, "remark": ("BYTES", [2], [None, "x"]), "humid": ("FP32", [2], [None, 3])}
    expected = read(document(nulls))
    assert column(expected, "remark") == ["", "x"] and np.isnan(column(expected, "humid")[0])
    literal = json.dumps(document({**nulls, "humid": ("FP32", [2], [float("nan"), 3])})).encode()
    assert b"NaN" in literal
    for name, array in read(literal).columns.arrays().items():
        np.testing.assert_array_equal(array, expected.columns.arrays()[name])


@pytest.mark.parametrize("name", ["distance", "humid"])
@pytest.mark.parametrize(
    "datatype", ["FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
)
def test_numbers_of_every_datatype_in_json_and_bytes(datatype: str, name: str) -> None:
    kind = {"F": "f", "I": "i", "U": "u"}[datatype[0]]
    bits = int("".join(filter(str.isdigit, datatype)))
    raw = np.array([7, 100], f"<{kind}{bits // 8}").tobytes()
    body, length = with_bytes([entry for entry in good_bytes() if entry[0] != name] + [(name, datatype, [2], raw)])
    assert column(read(with_column(name, datatype, [2], [7, 100])), name) == [7.0, 100.0]
    assert column(read(body, length), name) == [7.0, 100.0]


def test_booleans_in_json_and_bytes() -> None:
    assert column(read(with_column("windy", "BOOL", [2, 1], [True, False])), "windy") == [1.0, 0.0]
    body, length = with_bytes([*good_bytes(), ("windy", "BOOL", [2], b"\x01\x00")])
    assert column(read(body, length), "windy") == [1.0, 0.0]


@pytest.mark.parametrize("data", [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]])
def test_flat_and_nested_data_are_the_same(data: list[Any]) -> None:
    assert column(read(with_column("profile", "INT32", [2, 3], data)), "profile") == [1, 2, 3, 4, 5, 6]
    assert column(read(with_column("distance", "FP32", [2, 1], [[1], [2]])), "distance") == [1, 2]


def test_text_and_numbers_as_bytes() -> None:
    body, length = with_bytes([*good_bytes(), ("profile", "FP64", [2, 3], np.arange(6, dtype="<f8").tobytes())])
    request = read(body, length)
    assert column(request, "carrier") == ["AA", "9É"]
    assert column(request, "profile") == [0, 1, 2, 3, 4, 5]


def test_bytes_and_json_in_one_request() -> None:
    binary, length = with_bytes([good_bytes()[1]])
    mixed = json.loads(binary[:length])
    mixed["inputs"].insert(0, tensor("carrier", "BYTES", [2], ["AA", "UA"]))
    header = json.dumps(mixed).encode()
    assert column(read(header + binary[length:], len(header)), "distance") == [12.5, 300.0]


def test_ids_are_read_beside_the_inputs() -> None:
    request = read(with_column("flight", "BYTES", [2], ["f1", None]))
    assert request.ids == ["f1", ""] and "flight" not in request.columns.arrays()


def test_what_lies_on_a_bound_is_within_it() -> None:
    """0.1 is not a float32; the bound is rounded as the value is."""
    assert column(read(with_column("distance", "FP64", [2], [0.1, 5000])), "distance")[0] == np.float32(0.1)


def test_a_colon_in_text_is_no_second_key() -> None:
    assert column(read(with_column("remark", "BYTES", [2], ["a:b", '":'])), "remark") == ["a:b", '":']


def test_keys_and_parameters_that_are_unknown_are_ignored() -> None:
    body = document(model_name="m", parameters={"priority": 1, "nested": {"a": [1]}})
    body["inputs"][0]["parameters"] = {"content_type": "str"}
    body["inputs"][0]["more"] = None
    body["outputs"] = [{"name": "label", "parameters": {"classification": 2, "binary_data": False}}]
    assert read(body).outputs == (("label", False),)


def test_outputs_are_selected_and_ordered() -> None:
    assert read(document()).outputs == (("label", False), ("probabilities", False))
    assert read(document(outputs=[])).outputs == (("label", False), ("probabilities", False))
    asked = [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "label"}]
    assert read(document(outputs=asked)).outputs == (("probabilities", True), ("label", False))
    whole = {"binary_data_output": True}
    assert read(document(parameters=whole)).outputs == (("label", True), ("probabilities", True))
    asked[0]["parameters"] = {"binary_data": False}
    assert read(document(parameters=whole, outputs=asked)).outputs == (("probabilities", False), ("label", True))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"outputs": [{"name": "labels"}]}, ["'labels'", "label, probabilities"]),
        ({"outputs": [{"name": "label"}, {"name": "label"}]}, ["'label'", "twice"]),
        ({"outputs": [{"name": "label", "parameters": {"binary_data": 1}}]}, ["'label'", "binary_data must be"]),
        ({"parameters": {"binary_data_output": "yes"}}, ["binary_data_output must be true or false"]),
        ({"outputs": [{}]}, ["`name`"]),
        ({"outputs": 3}, ["outputs"]),
    ],
)
def test_outputs_that_cannot_be_answered(more: dict[str, Any], words: list[str]) -> None:
    text = refusal(document(**more))
    assert all(word in text for word in words), text


ANSWERS = {"label": np.array([0, 1]), "probabilities": np.array([[0.75, 0.25], [0.25, 0.75]], np.float32)}


def test_an_answer_in_json() -> None:
    content, length = encode_response(read(document(id="7")), "late", "abc", ANSWERS, {"ids": ["x", "y"]})
    assert length is None
    assert json.loads(content) == {
        "model_name": "late",
        "model_version": "abc",
        "id": "7",
        "parameters": {"ids": ["x", "y"]},
        "outputs": [
            {"name": "label", "datatype": "BOOL", "shape": [2], "data": [False, True]},
            {"name": "probabilities", "datatype": "FP32", "shape": [2, 2], "data": [0.75, 0.25, 0.25, 0.75]},
        ],
    }


def test_an_answer_in_bytes_and_json() -> None:
    request = read(
        document(outputs=[{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "label"}])
    )
    content, length = encode_response(request, "late", "abc", ANSWERS, {})
    header = json.loads(content[:length])
    assert "id" not in header and "parameters" not in header
    assert header["outputs"][0]["parameters"] == {"binary_data_size": 16} and "data" not in header["outputs"][0]
    assert header["outputs"][1]["data"] == [False, True]
    np.testing.assert_array_equal(np.frombuffer(content[length:], "<f4"), ANSWERS["probabilities"].ravel())


def test_a_number_that_is_not_finite_is_null() -> None:
    request = InferRequest(None, {}, 1, None, (("value", False),))
    content, _ = encode_response(request, "m", "1", {"value": np.array([[np.nan]], np.float32)}, {})
    assert json.loads(content)["outputs"] == [{"name": "value", "datatype": "FP32", "shape": [1, 1], "data": [None]}]


def test_metadata_says_what_the_contract_says() -> None:
    found = model_metadata("late", ["abc"], "onnxruntime_onnx", SIGNATURE)
    assert (found["name"], found["versions"], found["platform"]) == ("late", ["abc"], "onnxruntime_onnx")
    carrier = found["inputs"][0]
    assert (carrier["name"], carrier["datatype"], carrier["shape"]) == ("carrier", "BYTES", [-1, 1])
    assert carrier["parameters"]["enum"] == ["AA", "UA", "9É"] and carrier["parameters"]["required"] is True
    assert found["outputs"] == [
        {"name": "label", "datatype": "BOOL", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
    ]
    assert "binary_tensor_data" in server_metadata()["extensions"]


def test_every_problem_is_told_at_once_and_a_great_many_are_cut_short() -> None:
    columns = {
        "carrier": ("BYTES", [2], ["??", "AA"]),
        "distance": ("FP32", [2], [-1, "x"]),
        "nobody": ("FP32", [1], [1]),
    }
    lines = refusal(document(columns)).splitlines()
    assert [line.split(":")[0] for line in lines] == ["'distance'", "'nobody'", "'carrier'"]
    many = refusal(document({f"x{i}": ("FP32", [1], [1]) for i in range(1000)}))
    assert many.splitlines()[-1] == "and 982 more" and len(many) < 5000


def test_a_bad_request_carries_its_status() -> None:
    assert BadRequest("x").status == 400 and BadRequest("x", 413).status == 413
