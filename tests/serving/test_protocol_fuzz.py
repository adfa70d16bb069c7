"""Whatever the bytes: an answer or a BadRequest; and what is read does not depend on how it was sent."""

import json
import random
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.deployment import ServedInput
from dagster_project.serving.protocol import BadRequest, decode_request, encode_response
from dagster_project.serving.signature import Signature
from tests.serving.v2_requests import GOOD, SIGNATURE, document, good_bytes, packed, read, with_bytes

SCRAPS = (
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"null",
    b"[",
    b"{",
    b"}",
    b"]",
    b'"',
    b"\\ud800",
    b"\xff",
    b'"name":',
    b'"shape":[',
    b"-1",
    b"9" * 40,
    b'"FP32"',
    b'"INT8"',
    b'"binary_data_size":',
    b'"data":[[',
    b"\x00\x00\x00\x80",
    b"true",
    b",",
    b":",
)


def _attempt(body: bytes, length: int | None) -> bool:
    """Whether it was taken; anything but BadRequest fails the test."""
    try:
        request = decode_request(body, length, SIGNATURE)
    except BadRequest as error:
        assert error.status == 400 and str(error).encode() and len(str(error)) < 20_000
        return False
    for name, column in request.columns.arrays().items():
        assert column.shape == (request.rows, SIGNATURE.expected[name].width)
        if column.dtype == object:
            "".join(column.ravel().tolist()).encode()
        else:
            assert column.dtype == np.float32 and not np.isinf(column).any()
    return True


def _spoiled(body: bytes, dice: random.Random) -> bytes:
    spoiled = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        start = dice.randrange(len(spoiled) + 1)
        end = start + dice.choice((0, 0, 1, 3, 20))
        spoiled[start:end] = dice.choice((dice.choice(SCRAPS), dice.randbytes(dice.randint(0, 6))))
    return bytes(spoiled)


@pytest.mark.parametrize("seed", range(4))
def test_spoiled_bodies_and_header_lengths_raise_nothing_else(seed: int) -> None:
    dice = random.Random(seed)
    plain = json.dumps(document({**GOOD, "profile": ("FP32", [2, 3], [[1, 2, 3]] * 2)}, id="é", outputs=[])).encode()
    binary, length = with_bytes([*good_bytes(), ("windy", "BOOL", [2], b"\x01\x00")])
    taken = 0
    for _ in range(2000):
        body, start = dice.choice(((plain, None), (binary, length)))
        if dice.random() < 0.2:
            start = dice.choice((None, 0, len(body), dice.randint(-5, len(body) + 5)))
        taken += _attempt(_spoiled(body, dice), start)
    assert 0 < taken < 2000


def test_random_bytes_raise_nothing_else() -> None:
    dice = random.Random(7)
    for _ in range(3000):
        body = dice.randbytes(dice.randint(0, 200))
        assert not _attempt(body, dice.choice((None, dice.randint(-2, 220))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(("name", "shape", "data", "datatype", "inputs")), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(JSON, JSON, JSON)
def test_any_json_in_any_place_raises_nothing_else(first: Any, second: Any, third: Any) -> None:
    tensor = {"name": "humid", "shape": [2], "datatype": "FP32", "data": [1, 2], "parameters": second}
    _attempt(json.dumps({**document(), "parameters": first}).encode(), None)
    _attempt(json.dumps({"inputs": [*document()["inputs"], tensor, third]}).encode(), None)
    _attempt(
        json.dumps({"inputs": [*document()["inputs"], {**tensor, "parameters": {}, "data": first}]}).encode(), None
    )


number = st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(number, st.text(max_size=5), st.sampled_from(("AA", "9É"))), min_size=1, max_size=6))
def test_json_and_bytes_and_nan_literals_say_the_same(rows: list[tuple[float | None, str, str]]) -> None:
    n = len(rows)
    numbers, texts, carriers = (list(column) for column in zip(*rows, strict=True))
    plain = document({
        "carrier": ("BYTES", [n], carriers), "distance": ("FP32", [n], [1] * n),
        "humid": ("FP32", [n], numbers), "remark": ("BYTES", [n, 1], texts),
    })  # fmt: skip
    raw = np.array([np.nan if value is None else value for value in numbers], "<f4")
    body, length = with_bytes([
        ("carrier", "BYTES", [n], packed([text.encode() for text in carriers])),
        ("distance", "INT8", [n], b"\x01" * n),
        ("humid", "FP32", [n], raw.tobytes()),
        ("remark", "BYTES", [n], packed([text.encode() for text in texts])),
    ])  # fmt: skip
    literal = re.sub(r'(?<!")\bnull\b(?!")', "NaN", json.dumps(plain)).encode()
    for other in (read(body, length), read(literal)):
        for name, column in read(plain).columns.arrays().items():
            np.testing.assert_array_equal(column, other.columns.arrays()[name])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5), st.booleans())
def test_text_answers_go_round(labels: list[str], binary: bool) -> None:
    request = read(document(parameters={"binary_data_output": binary}, outputs=[{"name": "label"}]))
    request.datatypes = {"label": "BYTES"}
    content, length = encode_response(request, "m", "1", {"label": np.array(labels, object)}, {})
    output = json.loads(content[:length])["outputs"][0]
    assert (output["datatype"], output["shape"]) == ("BYTES", [len(labels)])
    if binary:
        assert content[length:] == packed([label.encode() for label in labels])
    else:
        assert output["data"] == labels


IMAGES = ([0.5, 1, -1.0], [0.5, None, 1.0], [0.5, 2.0, 0.0], [0.5, "x", 0.0], [[0.5, 0.5, 0.5]], [0.5, True, 0.0])
WIDE = Signature(
    (*SIGNATURE.inputs, ServedInput(name="image", dtype="float32", width=3, minimum=-1, maximum=1, required=True)),
    SIGNATURE.outputs,
    SIGNATURE.id_column,
    time_column=SIGNATURE.time_column,
)
TEXTS = ("carrier", "remark", SIGNATURE.time_column)
ODD = {
    "shape": ([1], [1, 1], [2], [], [1, 2], [0], [-1]),
    "datatype": ("FP32", "FP64", "INT8", "BYTES", "BOOL", "FP16", "?"),
    "data": (
        [1.0],
        [1],
        [None],
        ["AA"],
        [True],
        [[1.0]],
        [],
        [1.0, 2.0],
        [1e300],
        [10**40],
        ["2026-03-31T24:00Z"],
        None,
    ),
    "parameters": (None, {}, {"binary_data_size": 4}),
}


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_a_row_read_quickly_is_read_as_carefully(data: Any) -> None:
    """The quick way takes nothing that the careful way refuses, and reads the same from the rest."""
    signature = data.draw(st.sampled_from((SIGNATURE, WIDE)))
    names = data.draw(st.lists(st.sampled_from((*signature.expected, *signature.beside, "other")), max_size=8))
    tensors = [
        {"name": name, "shape": [1], "datatype": "BYTES" if name in TEXTS else "FP32", "data": [1.0]} for name in names
    ]
    for tensor in tensors:
        if tensor["datatype"] == "BYTES":
            tensor["data"] = ["AA"]
        if tensor["name"] == signature.time_column:
            tensor["data"] = [data.draw(st.sampled_from(("2026-03-31T23:59", "", "2026-03-31T01:00+02:00", "soon")))]
        if tensor["name"] == "image":
            tensor |= {"shape": [1, 3], "data": data.draw(st.sampled_from(IMAGES))}
        if data.draw(st.integers(0, 3)) == 0:
            key = data.draw(st.sampled_from(sorted(ODD)))
            tensor[key] = data.draw(st.sampled_from(ODD[key]))
    body = json.dumps({"inputs": tensors}).encode()
    answers = []
    for way in ("quick", "careful"):
        with pytest.MonkeyPatch.context() as patch:
            if way == "careful":
                patch.setattr("dagster_project.serving.decode.one_row", lambda tensors, signature: None)
            try:
                request = read(body, None, signature)
                columns = {name: column.tolist() for name, column in request.columns.arrays().items()}
                answers.append((columns, request.ids, request.times))
            except BadRequest as wrong:
                answers.append(str(wrong))
    assert repr(answers[0]) == repr(answers[1])
