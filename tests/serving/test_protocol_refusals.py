"""Everything that a request can have wrong is a 400 that names the column and says what to do."""

import json
from typing import Any

import numpy as np
import pytest

from dagster_project.serving.signature import Signature
from tests.serving.v2_requests import (
    GOOD,
    INPUTS,
    OUTPUTS,
    document,
    good_bytes,
    packed,
    refusal,
    tensor,
    with_bytes,
    with_column,
)

HUGE = 10**400


@pytest.mark.parametrize(
    ("name", "datatype", "shape", "data", "words"),
    [
        ("nobody", "FP32", [2], [1, 2], "no such input; it takes carrier, remark"),
        ("humid", "BYTES", [2], ["1", "2"], "datatype is 'BYTES'; send FP16 or FP32"),
        ("humid", "float", [2], [1, 2], "datatype is 'float'"),
        ("carrier", "FP32", [2], [1, 2], "datatype is 'FP32'; send BYTES"),
        ("flight", "INT64", [2], [1, 2], "send BYTES"),
        ("humid", "FP32", [], [1, 2], "shape is []; send [rows] or [rows, 1]"),
        ("humid", "FP32", [2, 2], [1, 2, 3, 4], "shape is [2, 2]"),
        ("humid", "FP32", [1, 2], [1, 2], "shape is [1, 2]"),
        ("humid", "FP32", [2, 1, 1], [1, 2], "shape is [2, 1, 1]"),
        ("humid", "FP32", [-2], [1, 2], "at least one row"),
        ("humid", "FP32", [0], [], "at least one row"),
        ("humid", "FP32", [10**30], [1, 2], "beyond 64 bits"),
        ("humid", "FP32", [1] * 1000, [1, 2], "...]; send"),
        ("humid", "FP32", [51], [1.0] * 51, "a request may have 50 rows"),
        ("humid", "FP32", [3], [1, 2, 3], "3 rows where 'carrier' has 2"),
        ("humid", "FP32", [2], [1, 2, 3], "3 values where its shape [2] means 2"),
        ("humid", "FP32", [2], [], "0 values"),
        ("humid", "FP32", [2], None, "no data"),
        ("humid", "FP32", [2], [[1, 2]], "nested data"),
        ("humid", "FP32", [2, 1], [[1], 2], "nested data"),
        ("profile", "FP32", [2], [1, 2], "send [rows, 3]"),
        ("profile", "FP32", [2, 3], [[1, 2], [3, 4]], "nested data"),
        ("profile", "FP32", [2, 3], [1, 2, 3, 4, 5, 10], "row 1 (10) is above the maximum 9"),
        ("humid", "FP32", [2], ["1", 2], "row 0 is a string"),
        ("humid", "FP32", [2], [1, True], "row 1 is a boolean"),
        ("humid", "FP32", [2], [1, {}], "row 1 is an object"),
        ("humid", "FP32", [2], [1, [[2]]], "row 1 is a list"),
        ("humid", "INT32", [2], [1, 2.5], "row 1 is a number with a fraction"),
        ("humid", "INT8", [2], [1, 128], "from -128 to 127"),
        ("humid", "UINT8", [2], [None, -1], "from 0 to 255"),
        ("windy", "BOOL", [2], [1, 0], "true, false or null"),
        ("windy", "FP32", [2], [1, 2], "above the maximum 1"),
        ("carrier", "BYTES", [2], ["AA", 2], "row 1 is a number"),
        ("humid", "FP32", [2], [1, float("inf")], "row 1 is infinite or beyond float32"),
        ("humid", "FP32", [2], [float("-inf"), 1], "row 0 is infinite"),
        ("humid", "FP32", [2], [1, 1e39], "beyond float32"),
        ("humid", "FP32", [2], [1, HUGE], "beyond float32"),
        ("profile", "FP32", [2, 3], [1, 2, 3, 4, 5, HUGE], "beyond float32"),
        ("distance", "FP32", [2], [1, None], "row 1 is missing, but the column is required"),
        ("distance", "FP32", [2], [float("nan"), 1], "row 0 is missing"),
        ("distance", "FP32", [2], [0, 0.09], "row 0 (and 1 more) (0) is below the minimum 0.1"),
        ("distance", "FP32", [2], [1, 5001], "row 1 (5001) is above the maximum 5000"),
        ("salary", "FP32", [2], [1, 77], "row 1 is above the maximum 10"),
        ("engines", "FP32", [2], [1, 3], "row 1 (3) is not one of 1, 2, 4"),
        ("seats", "FP32", [2], [None, 1.5], "row 1 (1.5) is no whole number"),
        ("carrier", "BYTES", [2], ["AA", None], "row 1 is missing, but the column is required"),
        ("carrier", "BYTES", [2], ["", "AA"], "row 0 is missing"),
        ("carrier", "BYTES", [2], ["AA", "ZZ"], "row 1 ('ZZ') is not one of 'AA', 'UA', '9É'"),
        ("remark", "BYTES", [2], ["12345", "123456"], "row 1 is longer than 5 characters"),
    ],
)
def test_a_wrong_column_is_named(name: str, datatype: str, shape: list[int], data: Any, words: str) -> None:
    text = refusal(with_column(name, datatype, shape, data))
    assert text.startswith(f"'{name}': ") and "\n" not in text
    assert words in text


def test_a_required_column_that_is_absent_is_named() -> None:
    assert refusal(document({"carrier": GOOD["carrier"]})) == "'distance': the column is required; send it"


def test_the_same_tensor_twice() -> None:
    body = document()
    body["inputs"].append(body["inputs"][0])
    assert refusal(body).startswith("'carrier': it is there twice")


def test_a_request_of_nothing() -> None:
    optional = Signature(INPUTS[3:6], OUTPUTS)
    assert "no inputs" in refusal(document({}), signature=optional)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"name": "humid", "shape": [1]}, "`datatype`"),
        ({"name": "humid", "shape": [1.5], "datatype": "FP32", "data": [1]}, "Expected `int`, got `float`"),
        ({"name": "humid", "shape": [True], "datatype": "FP32", "data": [1]}, "Expected `int`, got `bool`"),
        ({"name": "humid", "shape": 1, "datatype": "FP32", "data": [1]}, "Expected `array`"),
        ({"name": "humid", "shape": [1], "datatype": 3, "data": [1]}, "Expected `str`"),
        ({"name": "humid", "shape": [1], "datatype": "FP32", "data": {"0": 1}}, "Expected `array | null`"),
        ({"name": "humid", "shape": [1], "datatype": "FP32", "parameters": []}, "Expected `object | null`"),
    ],
)
def test_a_tensor_of_another_form_is_named_with_the_other_problems(entry: dict[str, Any], words: str) -> None:
    body = with_column("distance", "FP32", [2], [1, 5001])
    body["inputs"].append(entry)
    first, second = refusal(body).splitlines()
    assert first.startswith("'humid': ") and words in first
    assert second.startswith("'distance': row 1")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"   ", "empty"),
        (b"{", "not JSON"),
        (b"[1,2]", "Expected `object`"),
        (b"null", "Expected `object`"),
        (b'{"inputs": {}}', "Expected `array`"),
        (b'{"inputs": [3]}', "Expected `object`"),
        (b'{"inputs": []} x', "not JSON"),
        (b'{"inputs": [], "id": 3}', "Expected `str | null`"),
        (b'{"inputs": [], "id": "\xff"}', "not UTF-8"),
        (b'{"inputs": [], "id": "\\ud800"}', "not UTF-8"),
        (b'{"inputs": ' + b"[" * 100_000, "nested too deep"),
        (b'{"inputs": [], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deep"),
        (b'{"inputs": [], "x": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"inputs": [], "inputs": []}', "the key 'inputs' twice"),
        (b'{"inputs": [], "x": {"a": 1, "a" : 2}}', "the key 'a' twice"),
        (b'{"inputs": [{"name": "a", "name": "b", "shape": [1], "datatype": "FP32", "data": [1]}]}', "the key 'name'"),
        (b'{"inputs": [], "parameters": {"binary_data_output": true, "binary_data_output": false}}', "twice"),
    ],
)
def test_documents_that_are_no_request(body: bytes, words: str) -> None:
    assert words in refusal(body)


@pytest.mark.parametrize("text", [b"\xff", b"\\ud800", b"\xed\xa0\x80"])
def test_text_that_is_no_text_is_named(text: bytes) -> None:
    body = json.dumps(document()).encode().replace(b"UA", text)
    assert refusal(body).splitlines() == ["'carrier': text is not UTF-8; send Unicode text as UTF-8"]


@pytest.mark.parametrize("length", [-1, 10_000])
def test_a_header_length_that_is_beyond_the_body(length: int) -> None:
    assert "Inference-Header-Content-Length" in refusal(document(), length)


def _bytes_with(position: int, **changes: Any) -> tuple[bytes, int]:
    body, length = with_bytes(good_bytes())
    parsed = json.loads(body[:length])
    parsed["inputs"][position].update(changes)
    header = json.dumps(parsed).encode()
    return header + body[length:], len(header)


@pytest.mark.parametrize("size", [9, 7, 100, 1 << 70])
def test_a_binary_size_that_does_not_match(size: int) -> None:
    body, length = _bytes_with(1, parameters={"binary_data_size": size})
    assert refusal(body, length).startswith("'distance': its binary_data_size is ")


@pytest.mark.parametrize("size", [-1, "8", 8.0, True])
def test_a_binary_size_that_is_none(size: Any) -> None:
    body, length = _bytes_with(1, parameters={"binary_data_size": size})
    assert refusal(body, length).startswith("'distance': its binary_data_size is no number of bytes")


def test_bytes_behind_the_last_tensor() -> None:
    body, length = with_bytes(good_bytes())
    assert refusal(body + b"abc", length).startswith("3 bytes lie behind the last tensor")


def test_bytes_without_the_header_that_says_where() -> None:
    body, length = with_bytes(good_bytes())
    assert "Inference-Header-Content-Length was not sent" in refusal(body[:length])


def test_bytes_and_data_in_one_tensor() -> None:
    body, length = _bytes_with(1, data=[1, 2])
    assert refusal(body, length).startswith("'distance': it has both data and binary_data_size")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (packed([b"AA"]), "end within text 1 of 2"),
        (packed([b"AA", b"UA"])[:-1], "end within text 1 of 2"),
        (packed([b"AA", b"UA"]) + b"x", "1 bytes lie behind its 2 texts"),
        (b"\xff\xff\xff\xff", "end within text 0 of 2"),
        (b"", "end within text 0 of 2"),
        (packed([b"AA", b"\xff"]), "row 1 is not UTF-8"),
    ],
)
def test_texts_whose_bytes_are_broken(raw: bytes, words: str) -> None:
    body, length = with_bytes([("carrier", "BYTES", [2], raw), good_bytes()[1]])
    text = refusal(body, length)
    assert text.startswith("'carrier': ") and words in text and "\n" not in text


def test_infinite_and_missing_bytes() -> None:
    raw = np.array([np.inf, np.nan], "<f8").tobytes()
    body, length = with_bytes([good_bytes()[0], ("distance", "FP64", [2], raw)])
    assert refusal(body, length).splitlines() == [
        "'distance': row 1 is missing, but the column is required; send a number",
        "'distance': row 0 is infinite or beyond float32; send a finite number, or null where it is missing",
    ]


def test_a_name_is_quoted_and_short() -> None:
    text = refusal(document({**GOOD, "\n\x1b[31m" + "x" * 10_000: ("FP32", [2], [1, 2])}))
    assert "\x1b" not in text and "\n" not in text and len(text) < 400


def test_a_refused_tensor_moves_the_bytes_of_no_other() -> None:
    body, length = with_bytes([("nobody", "FP32", [2], b"\x00" * 8), *good_bytes()])
    assert len(refusal(body, length).splitlines()) == 1


def test_shared_memory_is_not_offered() -> None:
    body = document()
    body["inputs"].append({**tensor("humid", "FP32", [2], None), "parameters": {"shared_memory_region": "r"}})
    assert refusal(body).startswith("'humid': it has no data")
