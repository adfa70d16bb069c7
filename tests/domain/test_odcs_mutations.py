"""Every broken contract that one of the standard's own readers lets through is refused, with file, line and a hint."""

import re
from collections.abc import Callable

import pytest

from dagster_project.domain import odcs_schema
from dagster_project.domain.contract_graph import check_contracts
from dagster_project.domain.errors import Problem, UserFileError
from dagster_project.domain.odcs import load_contract
from dagster_project.domain.yamlfile import load_yaml

FILE = "data_contracts/trips.yaml"
GOOD = """\
apiVersion: v3.2.0
kind: DataContract
id: trips-1
name: trips
version: 1.2.3
status: active
description:
  purpose: Trips of one day.
team:
  name: trips-team
servers:
  - server: files
    type: local
    path: landing/trips/*.csv
    format: csv
schema:
  - name: trips
    properties:
      - name: trip
        logicalType: string
        required: true
        unique: true
        logicalTypeOptions:
          minLength: 2
          maxLength: 9
          pattern: '^T[0-9]+$'
      - name: miles
        logicalType: number
        required: false
        logicalTypeOptions:
          minimum: 0
          maximum: 100
        quality:
          - metric: nullValues
            mustBeLessThan: 5
            unit: percent
      - name: payment
        logicalType: string
        enum:
          - value: cash
          - value: card
        relationships:
          - to: trips.trip
    quality:
      - name: some_rows
        metric: rowCount
        mustBeGreaterThan: 10
"""


def problems_of(text: str | bytes) -> list[Problem]:
    with pytest.raises(UserFileError) as caught:
        load_contract(text, FILE)
    return caught.value.problems


def swap(old: str, new: str) -> Callable[[], str]:
    def mutate() -> str:
        assert GOOD.count(old) >= 1, f"{old!r} is not in the contract"
        return GOOD.replace(old, new, 1)

    return mutate


# what, mutation, line of the problem, words of the message, words of the hint
MUTATIONS = [
    ("root typo", swap("status:", "statuss:"), 6, "`statuss` is not a key", "Did you mean `status`"),
    ("property typo", swap("required: true", "requird: true"), 21, "`requird`", "`required`"),
    ("logicalTypeOptions typo", swap("minLength", "minLenght"), 24, "`minLenght` is no option", "`minLength`"),
    ("minimum on a string", swap("minLength: 2", "minimum: 2"), 24, "`minimum` is no option", "maxLength"),
    ("bad logicalType", swap("logicalType: number", "logicalType: numbr"), 28, "`numbr`", "`number`"),
    ("missing version", swap("version: 1.2.3\n", ""), 1, "`version` is missing", "Add `version"),
    ("bad metric", swap("metric: nullValues", "metric: nulValues"), 34, "`nulValues` is no metric", "`nullValues`"),
    ("freshness as metric", swap("metric: rowCount", "metric: freshness"), 46, "`freshness`", "slaProperties"),
    (
        "two operators",
        swap("mustBeGreaterThan: 10", "mustBeGreaterThan: 10\n        mustBeLessThan: 20"),
        48,
        "2 operators",
        "Keep one",
    ),
    ("no operator", swap("        mustBeGreaterThan: 10\n", ""), 45, "no operator", "exactly one of mustBe"),
    ("bad server type", swap("type: local", "type: locl"), 13, "type locl are not read", "`local`"),
    ("server type that is not read", swap("type: local", "type: sftp"), 13, "type sftp are not read", "local, s3"),
    ("local server without path", swap("    path: landing/trips/*.csv\n", ""), 12, "`path` is missing", "Add `path"),
    (
        "required: quoted yes",
        swap("required: true", 'required: "yes"'),
        21,
        "`yes` is not of type boolean",
        "true or false",
    ),
    ("required: yes", swap("required: true", "required: yes"), 21, "`yes` is not of type boolean", "true or false"),
    ("required: maybe", swap("required: true", 'required: "maybe"'), 21, "`maybe`", "true or false"),
    (
        "property without name",
        swap("- name: miles\n        logicalType", "- logicalType"),
        27,
        "`name` is missing",
        "Add",
    ),
    (
        "unknown operator",
        swap("mustBeGreaterThan: 10", "mustBeAtLeast: 10"),
        47,
        "`mustBeAtLeast` is no operator",
        "Did you mean `mustBeGreaterOrEqualTo`",
    ),
    ("enum of plain strings", swap("- value: cash", "- cash"), 40, "`cash` is not of type object", "keys and values"),
    ("duplicate property names", swap("- name: miles", "- name: trip"), 27, "there already", "rename"),
    ("duplicate names but for case", swap("- name: miles", "- name: Trip"), 27, "there already", "rename"),
    ("minimum above maximum", swap("minimum: 0", "minimum: 101"), 31, "no value can meet", "smaller"),
    ("minLength above maxLength", swap("minLength: 2", "minLength: 20"), 24, "no value can meet", "smaller"),
    ("bad regex", swap("'^T[0-9]+$'", "'^T[0-9+$'"), 26, "not a regular expression", "literally"),
    ("lookahead", swap("'^T[0-9]+$'", "'^(?=T)[0-9]+$'"), 26, "lookahead", "two rules"),
    ("backreference", swap("'^T[0-9]+$'", r"'^(T)\1$'"), 26, "backreference", "Say it without"),
    ("relationship to no column", swap("to: trips.trip", "to: trips.tripp"), 43, "no column `tripp`", "`trip`"),
    ("version banana", swap("version: 1.2.3", "version: banana"), 5, "`banana` is not a version", "1.0.0"),
    ("version as number", swap("version: 1.2.3", "version: 1.2"), 5, "not of type string", "quotes"),
    ("status banana", swap("status: active", "status: banana"), 6, "`banana` is not a status", "retired"),
    ("status misspelt", swap("status: active", "status: activ"), 6, "`activ` is not a status", "`active`"),
    ("empty schema", lambda: GOOD[: GOOD.index("schema:")] + "schema: []\n", 16, "promises no table", "Add one object"),
    ("no schema", lambda: GOOD[: GOOD.index("schema:")], 1, "promises no table", "Add one object"),
    ("3.2 enum under 3.1", swap("apiVersion: v3.2.0", "apiVersion: v3.1.0"), 39, "`enum` came with v3.2.0", "write"),
    ("apiVersion of old", swap("apiVersion: v3.2.0", "apiVersion: v2.2.2"), 1, "not read", "v3.2.0"),
    ("unknown apiVersion", swap("apiVersion: v3.2.0", "apiVersion: v3.2.9"), 1, "not known", "v3.2.0"),
    ("another kind", swap("kind: DataContract", "kind: Contract"), 2, "not known", "`DataContract`"),
    (
        "name of another file",
        swap("name: trips\nversion", "name: trip\nversion"),
        4,
        "the file's is `trips`",
        "name: trips",
    ),
    ("enum value of another type", swap("- value: cash", "- value: 1"), 40, "`1` is not text", "quotes"),
    ("bound of another type", swap("minimum: 0", "minimum: low"), 31, "`low` is not a number", "logicalType is number"),
    ("type object", swap("logicalType: number", "logicalType: object"), 28, "cannot be of type object", "Use one of"),
    ("no logicalType", swap("        logicalType: number\n", ""), 27, "`logicalType` is missing", "Add one of"),
    ("rowCount at a column", swap("metric: nullValues", "metric: rowCount"), 34, "whole table", "Move"),
    ("nullValues at the table", swap("metric: rowCount", "metric: nullValues"), 46, "looks at a column", "Move"),
    ("unit unknown", swap("unit: percent", "unit: percents"), 36, "`percents` is no unit", "`percent`"),
    ("between backwards", swap("mustBeGreaterThan: 10", "mustBeBetween: [9, 2]"), 47, "the smaller first", "[1, 10]"),
    ("operator with text", swap("mustBeGreaterThan: 10", 'mustBeGreaterThan: "10"'), 47, "takes a number", "quotes"),
    ("sql without query", swap("metric: rowCount", "type: sql"), 45, "`query` is missing", "SELECT"),
    (
        "sql that reads files",
        swap("metric: rowCount", "type: sql\n        query: SELECT 1 FROM 'x.csv'"),
        47,
        "x.csv",
        "files",
    ),
    (
        "engine not run",
        swap("metric: rowCount", "type: custom\n        engine: soda\n        implementation: x"),
        47,
        "soda",
        "deepchecks",
    ),
    (
        "path out of the repository",
        swap("landing/trips/*.csv", "../../etc/passwd"),
        14,
        "leaves the repository",
        "below",
    ),
    ("absolute path", swap("landing/trips/*.csv", "/etc/passwd"), 14, "leaves the repository", "below"),
    ("two tables", lambda: GOOD + "  - name: other\n    properties: []\n", 48, "second table", "file of its own"),
    (
        "no servers",
        lambda: GOOD.replace(GOOD[GOOD.index("servers:") : GOOD.index("schema:")], ""),
        1,
        "where the rows",
        "servers",
    ),
    ("multipleOf", swap("minimum: 0", "multipleOf: 2"), 31, "not enforced", "Delete"),
    ("bad role", lambda: added("role", "labl"), 46, "'event_time'", "Roles are"),
    ("bad duration", lambda: added("available_at", "6 hours"), 46, "ISO 8601", "PT6H"),
    (
        "endless enum",
        swap("- value: cash", "- value: cash\n          " * 1001 + "- value: cash"),
        39,
        "more than 1,000 entries",
        "pattern",
    ),
    (
        "unknown deepchecks check",
        lambda: deepchecks("{suite: data_integrity, check: MixedNull}"),
        13,
        "`MixedNull` is no check",
        "`MixedNulls`",
    ),
    (
        "check of a model in a contract",
        lambda: deepchecks("{suite: model_evaluation, check: RocReport}"),
        13,
        "no model",
        "gates of a spec",
    ),
    (
        "check that is no condition",
        lambda: deepchecks("{suite: data_integrity, chek: MixedNulls}"),
        13,
        "chek: Extra inputs",
        "Each entry has",
    ),
    ("unknown addition", lambda: added("availableAt", "PT6H"), 45, "means nothing", "`available_at`"),
]


def added(name: str, value: str) -> str:
    """The contract with an addition of ours at its last column."""
    new = f"        customProperties:\n          - property: threeacts.{name}\n            value: {value}\n"
    marker = "          - to: trips.trip\n"
    lines = GOOD.replace(marker, marker + new)
    assert lines != GOOD
    return lines


def deepchecks(condition: str) -> str:
    """The contract with a deepchecks condition."""
    new = f"customProperties:\n  - property: threeacts.deepchecks\n    value: [{condition}]\nservers:"
    return GOOD.replace("servers:", new)


def test_the_contract_that_is_mutated_is_good() -> None:
    contract = load_contract(GOOD, FILE)
    assert contract.name == "trips"
    assert [column.name for column in contract.columns] == ["trip", "miles", "payment"]
    assert check_contracts({"trips": contract}) == []


@pytest.mark.parametrize(
    ("mutate", "line", "message", "hint"), [m[1:] for m in MUTATIONS], ids=[m[0] for m in MUTATIONS]
)
def test_a_broken_contract_is_refused_with_line_and_hint(
    mutate: Callable[[], str], line: int, message: str, hint: str
) -> None:
    problems = problems_of(mutate())
    first = [p for p in problems if message in p.message]
    assert first, problems
    assert first[0].file == FILE
    assert hint in first[0].hint, first[0]
    assert all(p.line and p.hint for p in problems)
    assert not re.search(r"unevaluated|additional propert", "".join(p.message for p in problems), re.IGNORECASE)
    assert first[0].line == line, (first[0].line, mutate().splitlines()[first[0].line - 1])


@pytest.mark.parametrize("mutate", [lambda: GOOD, *(m[1] for m in MUTATIONS)], ids=["good", *(m[0] for m in MUTATIONS)])
def test_the_fast_look_at_the_schema_finds_what_the_one_with_words_finds(mutate: Callable[[], str]) -> None:
    try:
        document = load_yaml(mutate(), FILE)
    except UserFileError:
        return  # no YAML that is read: neither looks at it
    worded = next(odcs_schema._validator().iter_errors(document.value), None)
    assert odcs_schema._is_valid(document.value) == (worded is None), worded


def test_a_relationship_to_nothing_is_refused_between_contracts() -> None:
    contract = load_contract(GOOD.replace("to: trips.trip", "to: nowhere.id"), FILE)
    (problem,) = check_contracts({"trips": contract})
    assert (problem.file, problem.line) == (FILE, 43)
    assert "`nowhere`, which has no contract" in problem.message
    assert problem.hint
