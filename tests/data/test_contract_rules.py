"""Contract rules over rows: every kind finds exactly what was planted, in bounded words."""

from datetime import datetime

import polars as pl
import pytest

from dagster_project.data.operators import OPERATORS, describe, holds
from dagster_project.data.rule_terms import rules_of
from dagster_project.data.rules import BROKEN_RULES, check_rows, part_rows
from dagster_project.domain.contract import Rule
from dagster_project.domain.errors import UserFileError
from dagster_project.domain.verdict import Outcome

PLANTED = [
    ("required", {"logical_type": "integer", "required": True}, [1, None, None], 2),
    ("enum", {"logical_type": "string", "enum": ("a", "b")}, ["a", "c", None], 1),
    ("enum", {"logical_type": "integer", "enum": (1, 2)}, [1, 3, None], 1),
    ("minimum", {"logical_type": "integer", "minimum": 2}, [1, 2, None], 1),
    ("maximum", {"logical_type": "number", "maximum": 2.0}, [2.0, 2.5, None], 1),
    ("exclusive_minimum", {"logical_type": "number", "exclusive_minimum": 2.0}, [2.0, 2.5, None], 1),
    ("exclusive_maximum", {"logical_type": "integer", "exclusive_maximum": 2}, [1, 2, 3], 2),
    ("minimum", {"logical_type": "timestamp", "minimum": "2013-01-02T00:00:00Z"},
     [datetime(2013, 1, 1), datetime(2013, 1, 2), None], 1),
    ("min_length", {"logical_type": "string", "min_length": 2}, ["é", "éé", None], 1),
    ("max_length", {"logical_type": "string", "max_length": 2}, ["éé", "abc", None], 1),
    ("pattern", {"logical_type": "string", "pattern": "^N[0-9]+$"}, ["N1", "X1", None], 1),
    ("unique", {"logical_type": "integer", "unique": True}, [1, 1, None, None, 1], 2),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "column", "values", "count"), PLANTED)
def test_column_rules(contract, kind, column, values, count) -> None:
    report = check_rows(pl.LazyFrame({"c": values}), contract({"c": column}))
    finding = next(found for found in report.findings if found.name == f"c.{kind}")
    assert (finding.outcome, finding.value) == (Outcome.FAILED, str(count))
    assert (finding.file, finding.line) == ("data_contracts/orders.yaml", 10)
    assert finding.hint and finding.details["samples"]
    good = check_rows(pl.LazyFrame({"c": values[:1]}), contract({"c": column}))
    assert kind in ("minimum", "exclusive_minimum", "min_length", "exclusive_maximum") or not good.failed


@pytest.mark.parametrize(
    ("kind", "arguments", "values", "count"),
    [
        ("null_values", {}, ["a", None, ""], 1),
        ("missing_values", {"missingValues": ["", "N/A", None]}, ["a", None, "", "N/A"], 3),
        ("invalid_values", {"validValues": ["a", "b"]}, ["a", "x", None], 1),
        ("invalid_values", {"pattern": "^[a-z]$"}, ["a", "XX", None], 1),
        ("duplicate_values", {}, ["a", "a", "b", None, None], 1),
    ],
)
def test_metrics(contract, kind, arguments, values, count) -> None:
    def outcome(operator, value, unit="rows") -> Outcome:
        rule = Rule(
            name="metric", kind=kind, scope="dataset", columns=("c",), arguments=arguments, operator=operator,
            value=value, unit=unit,
        )  # fmt: skip
        report = check_rows(pl.LazyFrame({"c": values}), contract({"c": "string"}, (rule,)))
        return report.findings[-1].outcome

    assert outcome("mustBe", count) is Outcome.PASSED
    assert outcome("mustBeLessThan", count) is Outcome.FAILED
    assert outcome("mustBeLessOrEqualTo", 100.0 * count / len(values), "percent") is Outcome.PASSED
    assert outcome("mustBeLessThan", 100.0 * count / len(values), "percent") is Outcome.FAILED


def test_duplicates_of_several_columns(contract) -> None:
    frame = pl.LazyFrame({"a": [1, 1, 1, None], "b": [1, 1, 2, None]})
    rule = Rule(
        name="pair", kind="duplicate_values", scope="dataset", arguments={"properties": ["a", "b"]}, operator="mustBe",
        value=0,
    )  # fmt: skip
    finding = check_rows(frame, contract({"a": "integer", "b": "integer"}, (rule,))).findings[-1]
    assert (finding.value, finding.outcome) == ("1", Outcome.FAILED)


def test_an_id_is_unique_and_there_without_saying_so(contract) -> None:
    made = contract({"a": {"logical_type": "integer", "role": "id"}})
    assert {rule.kind for rule in rules_of(made)} == {"required", "unique"}
    found = {finding.name: finding.value for finding in check_rows(pl.LazyFrame({"a": [1, 1, None]}), made).findings}
    assert (found["id_unique"], found["a.required"]) == ("1", "1")


def test_types_name_column_expected_and_found(contract) -> None:
    frame = pl.LazyFrame({"a": ["1"], "b": [1], "extra": [1]})
    made = contract({"a": "integer", "b": "number", "c": "string"})
    words = [finding.summary for finding in check_rows(frame, made).findings]
    assert words == [
        "column a: expected integer, found String",
        "column c: expected string, found no such column",
        "column extra: expected no such column, found Int64",
    ]


def test_warnings_warn_and_classified_values_stay_masked(contract) -> None:
    rule = Rule(name="soft", kind="maximum", scope="row", columns=("c",), value=1, severity="warning")
    made = contract({"c": {"logical_type": "integer", "classification": "restricted"}}, (rule,))
    finding = check_rows(pl.LazyFrame({"c": [123456]}), made).findings[-1]
    assert finding.outcome is Outcome.WARNED
    assert "123456" not in finding.to_json()


def test_a_million_bad_rows_make_a_short_message(contract) -> None:
    rows = pl.LazyFrame({"c": pl.repeat("x" * 200, 1_000_000, eager=True)})
    report = check_rows(rows, contract({"c": {"logical_type": "string", "max_length": 3, "pattern": "^y"}}))
    assert [finding.value for finding in report.findings[1:]] == ["1000000", "1000000"]
    assert sum(len(finding.to_json()) for finding in report.findings) < 5_000


def test_rows_are_parted_with_every_rule_they_break(contract) -> None:
    made = contract({"c": {"logical_type": "integer", "minimum": 0, "enum": (-1, 1)}})
    good, bad = part_rows(pl.DataFrame({"c": [1, -1, -2, 5]}), made, rules_of(made))
    assert good["c"].to_list() == [1]
    assert {row["c"]: set(row[BROKEN_RULES]) for row in bad.rows(named=True)} == {
        -1: {"c.minimum"}, -2: {"c.minimum", "c.enum"}, 5: {"c.enum"}
    }  # fmt: skip


def test_a_pattern_that_cannot_run_is_the_contracts_fault(contract) -> None:
    made = contract({"c": {"logical_type": "string", "pattern": "(?=x)"}})
    with pytest.raises(UserFileError, match=r"data_contracts/orders.yaml:10: c.pattern: pattern .* can't be run"):
        check_rows(pl.LazyFrame({"c": ["x"]}), made)


def test_operators() -> None:
    bounds = {name: (1, 3) if name.endswith("Between") else 2 for name in OPERATORS}
    held = {name: [value for value in range(5) if holds(value, name, bound)] for name, bound in bounds.items()}
    assert held == {
        "mustBe": [2], "mustNotBe": [0, 1, 3, 4], "mustBeGreaterThan": [3, 4], "mustBeGreaterOrEqualTo": [2, 3, 4],
        "mustBeLessThan": [0, 1], "mustBeLessOrEqualTo": [0, 1, 2], "mustBeBetween": [1, 2, 3],
        "mustNotBeBetween": [0, 4],
    }  # fmt: skip
    assert not any(holds(None, name, bound) for name, bound in bounds.items())
    assert describe("mustBeBetween", [1, 3], "percent") == "between 1 and 3 percent"
