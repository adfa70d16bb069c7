"""YAML is read as people mean it, and every trap is refused with its line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.errors import UserFileError
from dagster_project.domain.yamlfile import MAX_ALIASES, MAX_BYTES, MAX_NODES, load_yaml, place


def refused(text: str | bytes) -> list[tuple[int | None, str]]:
    with pytest.raises(UserFileError) as caught:
        load_yaml(text, "f.yaml")
    assert all(problem.hint and problem.file == "f.yaml" for problem in caught.value.problems)
    return [(problem.line, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("-7", -7),
        ("~", None),
        ("", None),
        ("2013-01-01", "2013-01-01"),
        ("12:30", "12:30"),
        ("1.2.3", "1.2.3"),
        ("'012'", "012"),
        ('"1e3"', "1e3"),
        ("'true'", "true"),
        ("|-\n  no", "no"),
    ],
)
def test_scalars_by_yaml_1_2(text: str, value: object) -> None:
    read = load_yaml(f"key: {text}\n", "f.yaml").value["key"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text", ["012", "0x1F", "0o17", "1_000", ".inf", "-.INF", ".nan", "1e999", "9" * 25, "9" * 9999]
)
def test_numbers_that_readers_disagree_on_are_refused(text: str) -> None:
    assert [line for line, _ in refused(f"a: 1\nkey: {text}\n")] == [2]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "written twice; the first is in line 1"),
        ("a:\n  b: 1\n  b: 2\n", 3, "written twice"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("", 1, "empty"),
        ("# only a comment\n", 1, "empty"),
        ("- a\n", 1, "mapping"),
        ("just text\n", 1, "mapping"),
        ("a: [1,\n", 2, "not YAML"),
        ("a:\n\tb: 1\n", 2, "not YAML"),
        ("a: !!python/object/apply:os.system ['ls']\n", 1, "tag"),
        ("a: !!set {x}\n", 1, "tag"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge keys"),
        ("a: *x\n", 1, "no anchor"),
        ("a: &x [*x]\n", 1, "contains itself"),
        ("1: a\n", 1, "not text"),
        ("true: a\n", 1, "not text"),
        ("? [a]\n: b\n", 1, "not text"),
        ("[" * 100_000, 1, "nested deeper"),
        ("a:\n" + "".join(" " * i + "- \n" for i in range(1, 60)), 42, "nested deeper"),
        ("a: b\x00c\n", 1, "not YAML"),
        ('a: "\\ud800"\n', 1, "not YAML"),
        ("a" * (MAX_BYTES + 1), None, "at most"),
        (b"a: 1\nb: \xff\xfe\n", 2, "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", 1, "not UTF-8"),
        ("a: [" + "x," * (MAX_NODES + 1) + "]", 1, "more than"),
        ("a: &x y\nb: [" + "*x," * (MAX_ALIASES + 1) + "]", 2, "aliases"),
    ],
)
def test_traps_are_refused_with_their_line(text: str | bytes, line: int | None, words: str) -> None:
    found = refused(text)
    assert (line, True) in [(at, words in message) for at, message in found], found


def test_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a: &a [" + "x," * 9 + "]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [" + f"*{before}," * 9 + "]")
    assert "aliases expanded" in refused("\n".join(lines))[0][1]


def test_all_problems_before_the_file_becomes_unreadable_are_told_at_once() -> None:
    assert [line for line, _ in refused("a: 012\nb: 1\nb: 2\nc: !x y\nd: [\n")] == [1, 3, 4, 6]


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert load_yaml(b"\xef\xbb\xbfa: 1\n", "f.yaml").value == {"a": 1}


def test_lines_of_keys_and_entries() -> None:
    document = load_yaml("a: 1\nb:\n  - name: x\n    c:\n      d: 2\n  - name: y\n", "f.yaml")
    assert document.line(()) == 1
    assert document.line(("b",)) == 2
    assert document.line(("b", 0)) == 3
    assert document.line(("b", 0, "c", "d")) == 5
    assert document.line(("b", 1, "name")) == 6
    assert document.line(("b", 0, "missing")) == 3
    assert document.line(("b", 0, "a_union_member", "c")) == 4
    assert place(("b", 1, "name"), document.value) == "b.y.name"
    assert place(("b", 7, "name"), document.value) == "b[7].name"


# U+2028 and U+2029 (Zl, Zp) break a line in YAML 1.1 and are text in JSON: a file escapes them.
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=8)
_NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(_TEXT, _VALUES, max_size=4))
def test_json_is_read_as_json(value: dict[str, object]) -> None:
    assert load_yaml(json.dumps(value, ensure_ascii=False), "f.yaml").value == value


@pytest.mark.parametrize("separator", ["\u2028", "\u2029"])
def test_an_escaped_line_separator_is_text(separator: str) -> None:
    value = {f"a {separator} b": f" {separator} "}
    assert load_yaml(json.dumps(value), "f.yaml").value == value


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_any_bytes_end_in_a_mapping_or_a_message(text: str | bytes) -> None:
    try:
        assert isinstance(load_yaml(text, "f.yaml").value, dict)
    except UserFileError as error:
        assert error.problems
