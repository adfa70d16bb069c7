"""What labels may be: each held against the model, all that is wrong told at once, the same again the same event."""

import json
import random
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.deployment import ServedInput
from dagster_project.serving.label_entry import Terms
from dagster_project.serving.label_request import MOST_LABELS, read_labels
from dagster_project.serving.openapi_labels import example_labels, labels_schema
from dagster_project.serving.problems import BadRequest
from dagster_project.serving.signature import OutputSpec, Signature
from dagster_project.storage.label_frames import Label, LabelFrame, decode, encode

ROW, OTHER = "0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-000000000002"
NOW = 1_774_958_400_000_000  # 2026-03-31T12:00:00Z
BINARY = Terms("late", (False, True), str.upper)
COLOURS = Terms("colour", ("red", "green", "1"), None)
DIGITS = Terms("digit", (0, 1, 2), None)
MINUTES = Terms("delay", (), None)


def read(*entries: Any, terms: Terms = BINARY, holder: str | None = None, **more: Any) -> list[Label]:
    return read_labels(json.dumps({"labels": entries, **more}).encode(), terms, NOW, holder)


def refusal(*entries: Any, terms: Terms = BINARY, holder: str | None = None, **more: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        read(*entries, terms=terms, holder=holder, **more)
    return str(caught.value)


def test_a_label_is_kept_as_the_log_writes_it() -> None:
    (label,) = read({"row_id": ROW.upper(), "label": True, "known": "2026-03-31T13:00+02:00"}, holder="checkout")
    assert (label.row_id, label.id, label.label, label.value) == (ROW, None, "true", None)
    assert (label.model, label.kind, label.source, label.who, label.audit) == (
        "late",
        "natural",
        "client",
        "checkout",
        None,
    )
    assert (label.known, label.received) == (NOW - 3_600_000_000, NOW)
    (label,) = read({"id": "ride 1", "label": "false"})
    assert (label.row_id, label.id, label.label, label.known, label.who) == (None, "RIDE 1", "false", NOW, None)


@pytest.mark.parametrize(
    ("terms", "given", "kept"),
    [(COLOURS, "green", "green"), (COLOURS, "1", "1"), (DIGITS, 2, "2"), (DIGITS, "2", "2"), (BINARY, False, "false")],
)
def test_classes_come_as_their_own_kind_or_as_their_text(terms: Terms, given: Any, kept: str) -> None:
    assert read({"row_id": ROW, "label": given}, terms=terms)[0].label == kept


@pytest.mark.parametrize(
    ("terms", "given"),
    [
        *((COLOURS, value) for value in (1, True, "Red", "", ["red"], {"a": 1}, 1.5)),
        *((DIGITS, value) for value in (3, True, 1.0, "01", -1)),
        *((BINARY, value) for value in (1, 0, "1", "True", "yes")),
        *((MINUTES, value) for value in ("1", True, float("inf"), -float("inf"), 10**400, [1])),
    ],
)
def test_what_is_no_label_of_the_model_is_refused(terms: Terms, given: Any) -> None:
    said = refusal({"row_id": ROW, "label": given}, terms=terms)
    assert said.startswith("labels[0]: label ") and ("is none of" in said or "is no finite number" in said)


def test_a_regression_takes_numbers() -> None:
    values = [read({"row_id": ROW, "label": value}, terms=MINUTES)[0].value for value in (-3, 0.5, 1e308)]
    assert values == [-3.0, 0.5, 1e308] and all(type(value) is float for value in values)
    for missing in (None, float("nan")):
        assert "label is missing" in refusal({"row_id": ROW, "label": missing}, terms=MINUTES)


def test_every_wrong_entry_is_told_with_its_place_at_once() -> None:
    good = {"row_id": ROW, "label": True}
    said = refusal(
        good, {"label": True}, {**good, "id": "x"}, {**good, "row_id": "x"}, 7, {**good, "knwon": "now"},
        {"row_id": "", "label": "maybe", "known": "soon", "event": ""}, good,
    )  # fmt: skip
    lines = said.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"labels[{place}]" for place in range(1, 7)]
    assert "either row_id or id" in lines[0] and "either row_id or id" in lines[1]
    assert "'x' is no UUIDv7" in lines[2] and "no object" in lines[3] and "'knwon' means nothing" in lines[4]
    assert all(word in lines[5] for word in ("row_id ''", "'maybe'", "'soon'", "event ''"))


def test_thousands_of_wrong_entries_are_told_in_little_room() -> None:
    wrong = [{"row_id": ROW, "label": place == 5_000 or None} for place in range(MOST_LABELS)]
    said = refusal(*wrong)
    assert said.count("\n") == 20 and said.endswith("and just as wrong: labels 20-4999, 5001-9999")


@pytest.mark.parametrize("version", ["4", "1", "8"])
def test_a_row_id_is_one_that_a_server_made(version: str) -> None:
    other = f"{ROW[:14]}{version}{ROW[15:]}"
    assert "is no UUIDv7" in refusal({"row_id": other, "label": True})
    for odd in (ROW.replace("-", ""), f"urn:uuid:{ROW}", f" {ROW}", 7):
        assert "is no UUIDv7" in refusal({"row_id": odd, "label": True})


def test_nothing_is_known_before_it_is() -> None:
    assert "lies in the future" in refusal({"row_id": ROW, "label": True, "known": "2026-03-31T12:01:01Z"})
    (label,) = read({"row_id": ROW, "label": True, "known": "2026-03-31T12:00:30Z"})  # a clock that is ahead a little
    assert label.known == NOW + 30_000_000
    for odd in (1, "", True, "12:00"):
        assert "known" in refusal({"row_id": ROW, "label": True, "known": odd})


def test_a_contract_without_an_id_takes_row_ids_alone() -> None:
    assert "has no id; send row_id" in refusal({"id": "x", "label": 1}, terms=DIGITS)
    for odd in ("", 7, "x" * 201, "\ud800"):
        assert "labels[0]: id " in refusal({"id": odd, "label": True})


def test_what_is_said_again_is_the_same_event_and_nothing_else_is() -> None:
    first = {"row_id": ROW, "label": True, "known": "2026-03-31T11:00:00Z"}
    (event,) = {read(first)[0].event, read({**first, "known": "2026-03-31 11:00"})[0].event}
    others = (
        {**first, "label": False}, {**first, "row_id": OTHER}, {"id": "x", "label": True, "known": first["known"]},
        {**first, "known": "2026-03-31T11:00:00.000001Z"}, {"row_id": ROW, "label": True},
    )  # fmt: skip
    events = [event, *(read(other)[0].event for other in others)]
    events += [read(first, holder="a")[0].event, read(first, review=True)[0].event]
    events += [read({**first, "label": 1}, terms=DIGITS)[0].event, read({**first, "label": 1}, terms=MINUTES)[0].event]
    assert len(set(events)) == len(events)
    later = read_labels(json.dumps({"labels": [{"row_id": ROW, "label": True}]}).encode(), BINARY, NOW + 10**9, None)
    assert later[0].event == events[5]


def test_a_sender_s_own_key_is_its_own() -> None:
    keyed = {"row_id": ROW, "label": True, "event": "1"}
    assert read(keyed, holder="a")[0].event == read({**keyed, "label": False}, holder="a")[0].event == "late/a/1"
    assert read(keyed, holder="b")[0].event == "late/b/1"
    assert read({**keyed, "label": 1}, holder="a", terms=DIGITS)[0].event == "digit/a/1"


def test_a_person_s_label_is_a_human_one_and_a_token_says_whose() -> None:
    entry = {"row_id": ROW, "label": True}
    (label,) = read(entry, holder="ada", review=True)
    assert (label.kind, label.source, label.who) == ("human", "review", "ada")
    assert read(entry, review=True, who="grace")[0].who == "grace"
    assert "leave it out" in refusal(entry, holder="ada", review=True, who="grace")
    for odd in ("", 7, "x" * 300):
        assert "who" in refusal(entry, who=odd)
    assert "review must be" in refusal(entry, review=1)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"labels": []}', b'{"labels": {}}', b'{"labels": [], "labels": []}', b'{"label": []}', b"\xff",
     b'{"labels": [' + b"[" * 100_000, json.dumps({"labels": [1] * (MOST_LABELS + 1)}).encode()],
)  # fmt: skip
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_labels(body, BINARY, NOW, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
ENTRIES = st.dictionaries(
    st.sampled_from(("row_id", "id", "label", "known", "event")),
    st.sampled_from((ROW, "2026-03-31", "true", True, 1, 0.5)) | JSON,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(ENTRIES | JSON, max_size=4), JSON, JSON, st.sampled_from((BINARY, COLOURS, DIGITS, MINUTES)))
def test_any_json_is_read_or_refused_and_what_is_read_can_be_written(
    entries: list[Any], review: Any, who: Any, terms: Terms
) -> None:
    document = {"labels": entries, "review": review, "who": who}
    try:
        labels = read_labels(json.dumps(document).encode(), terms, NOW, None)
    except BadRequest as wrong:
        assert str(wrong).encode() and wrong.status == 400
    else:
        assert decode(encode(LabelFrame("s", labels))).labels == labels


def test_spoiled_bytes_raise_nothing_else() -> None:
    dice = random.Random(5)
    whole = json.dumps({"labels": [{"row_id": ROW, "label": True, "event": "é"}], "review": True}).encode()
    for _ in range(3000):
        spoiled = bytearray(whole)
        start = dice.randrange(len(spoiled))
        spoiled[start : start + dice.choice((0, 1, 5))] = dice.randbytes(dice.randint(0, 4))
        try:
            read_labels(bytes(spoiled), BINARY, NOW, None)
        except BadRequest as wrong:
            assert str(wrong).encode()


CLASSES: tuple[tuple[Any, ...], ...] = ((False, True), ("red", "green"), (0, 1, 2), ())


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("id_column", [None, "ride"])
def test_the_schema_s_example_is_read_and_what_it_refuses_is_refused(
    classes: tuple[Any, ...], id_column: str | None
) -> None:
    outputs = (OutputSpec("label", "BOOL", 1),)
    signature = Signature((ServedInput(name="x", dtype="float32"),), outputs, id_column, classes=classes)
    schema, example = labels_schema(signature), example_labels(signature)
    terms = Terms("m", classes, str if id_column else None)
    jsonschema.validate(example, schema)
    assert read(*example["labels"], terms=terms)
    (entry,) = example["labels"]
    for wrong in (
        {**entry, "row_id": "x"}, {**entry, "label": "?"}, {**entry, "id": "x"}, {"label": entry["label"]},
        {"row_id": ROW}, {**entry, "odd": 1}, {**entry, "event": ""},
    ):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"labels": [wrong]}, schema)
        refusal(wrong, terms=terms)
