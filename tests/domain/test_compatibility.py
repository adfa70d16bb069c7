"""Changes of contracts, graded from both sides."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.compatibility import COLUMN_FIELDS, compare_contracts, required_bump
from dagster_project.domain.contract import Column, DataContract, Derivation, LogicalType, Role, Rule, Server
from dagster_project.domain.plan import Change
from dagster_project.domain.semver import ORDER

HOURS = timedelta(hours=1)


def column(name: str = "delay", **fields: Any) -> Column:
    return Column.model_validate({"name": name, "logical_type": "number", "line": 7, **fields})


def contract(*columns: Column, **fields: Any) -> DataContract:
    values = {"id": "t", "name": "trips", "version": "1.0.0", "status": "active", "file": "data_contracts/trips.yaml"}
    return DataContract(columns=columns or (column(),), **(values | fields))


def change(before: dict[str, Any], after: dict[str, Any]) -> Change:
    (found,) = compare_contracts(contract(column(**before)), contract(column(**after)))
    assert found.line == 7
    assert found.file == "data_contracts/trips.yaml"
    return found


TEXT = {"logical_type": "string"}
LOOSER = ("breaking", "safe", "major")
TIGHTER = ("safe", "warning", "minor")
BOTH = ("breaking", "breaking", "major")


@pytest.mark.parametrize(
    ("before", "after", "grade"),
    [
        ({"required": True}, {}, LOOSER),
        ({}, {"required": True}, TIGHTER),
        ({"unique": True}, {}, LOOSER),
        ({"primary_key": True}, {}, LOOSER),
        ({"maximum": 10}, {"maximum": 11}, LOOSER),
        ({"maximum": 10}, {"maximum": 9}, TIGHTER),
        ({"maximum": 10}, {}, LOOSER),
        ({}, {"maximum": 10}, TIGHTER),
        ({"minimum": 1}, {"minimum": 0}, LOOSER),
        ({"minimum": 0}, {"minimum": 1}, TIGHTER),
        ({"minimum": "2013-01-02"}, {"minimum": "2013-01-01T00:00:00"}, LOOSER),
        ({"max_length": 3}, {"max_length": 4}, LOOSER),
        (TEXT | {"enum": ("a",)}, TEXT | {"enum": ("a", "b")}, LOOSER),
        (TEXT | {"enum": ("a", "b")}, TEXT | {"enum": ("a",)}, TIGHTER),
        (TEXT | {"enum": ("a", "b")}, TEXT | {"enum": ("a", "c")}, LOOSER),
        (TEXT | {"enum": ("a", "b")}, TEXT | {"enum": ("b", "a")}, ("safe", "safe", "patch")),
        (TEXT | {"enum": ("a",)}, TEXT, LOOSER),
        (TEXT | {"pattern": "a"}, TEXT | {"pattern": "b"}, ("warning", "warning", "major")),
        (TEXT | {"pattern": "a"}, TEXT, LOOSER),
        ({"logical_type": "integer"}, {"logical_type": "number"}, BOTH),
        ({"physical_type": "INT"}, {"physical_type": "BIGINT"}, BOTH),
        ({"unit": "metres"}, {"unit": "feet"}, BOTH),
        ({"unit": "metres"}, {}, BOTH),
        ({}, {"unit": "metres"}, ("warning", "safe", "minor")),
        ({"role": "label"}, {}, BOTH),
        ({}, {"role": "label"}, BOTH),
        ({"role": "event_time"}, {"role": "id"}, BOTH),
        ({"available_at": -HOURS}, {"available_at": HOURS}, LOOSER),
        ({"available_at": HOURS}, {}, LOOSER),
        ({}, {"available_at": HOURS}, LOOSER),
        ({"available_at": HOURS}, {"available_at": 0 * HOURS}, ("warning", "breaking", "major")),
        ({"classification": "public"}, {"classification": "restricted"}, ("warning", "safe", "minor")),
        ({"description": "metres"}, {"description": "feet"}, ("safe", "safe", "patch")),
    ],
)
def test_a_column_is_graded(before: dict[str, Any], after: dict[str, Any], grade: tuple[str, str, str]) -> None:
    found = change(before, after)
    assert (found.consumer, found.producer, found.bump) == grade


def test_every_attribute_of_a_column_is_graded() -> None:
    assert set(COLUMN_FIELDS) == set(Column.model_fields) - {"name", "line"}


def test_a_column_said_to_be_known_earlier_is_marked() -> None:
    """It lets a guard take a feature that it refused as leaking."""
    assert change({"available_at": HOURS}, {"available_at": -HOURS}).loosens
    assert not change({"available_at": -HOURS}, {"available_at": HOURS}).loosens


def test_columns_that_come_and_go() -> None:
    one, two = column("a"), column("b")
    assert required_bump(compare_contracts(contract(one, two), contract(one))) == "major"
    assert required_bump(compare_contracts(contract(one), contract(one, two))) == "minor"
    needed = column("b", required=True)
    assert required_bump(compare_contracts(contract(one), contract(one, needed))) == "major"
    assert [c.what for c in compare_contracts(contract(one, two), contract(two, one))] == ["columns in another order"]
    renamed = compare_contracts(contract(one), contract(two))
    assert {c.what for c in renamed} == {"column a removed", "optional column b added"}
    assert required_bump(renamed) == "major"


def derived(sql: str, inputs: tuple[str, ...] = ("flights",)) -> Derivation:
    return Derivation(sql=sql, inputs=inputs, file="data_contracts/trips.sql", line=9)


def test_sql_of_a_derived_dataset() -> None:
    base = contract(derivation=derived("SELECT a FROM flights"))
    (found,) = compare_contracts(base, contract(derivation=derived("SELECT b AS a FROM flights")))
    assert (found.kind, found.bump, found.effect) == ("derivation", "minor", "rebuild")
    assert found.file == "data_contracts/trips.sql"
    (found,) = compare_contracts(base, contract(derivation=derived("-- why\nselect a\nfrom flights")))
    assert found.bump == "patch"
    inputs = compare_contracts(base, contract(derivation=derived("SELECT a FROM x", ("x",))))
    assert [(c.line, c.bump) for c in inputs] == [(9, "minor"), (None, "minor")]
    assert required_bump(compare_contracts(base, contract())) == "major"
    needed = contract(column(), column("b", required=True), derivation=derived("SELECT a, b FROM flights"))
    assert required_bump(compare_contracts(base, needed)) == "minor"  # our own SQL delivers it


def rule(**fields: Any) -> Rule:
    values = {"name": "r", "kind": "null_values", "scope": "dataset", "operator": "mustBeLessThan", "value": 5}
    return Rule.model_validate(values | fields)


@pytest.mark.parametrize(
    ("before", "after", "bump"),
    [
        (rule(), rule(value=6), "major"),
        (rule(), rule(value=4), "minor"),
        (rule(operator="mustBeGreaterThan"), rule(operator="mustBeGreaterThan", value=4), "major"),
        (rule(), rule(operator="mustBeGreaterThan"), "major"),
        (rule(), rule(severity="warning"), "major"),
        (rule(severity="warning"), rule(), "minor"),
        (rule(unit="rows"), rule(unit="percent"), "major"),
        (rule(kind="sql", arguments={"query": "a"}), rule(kind="sql", arguments={"query": "b"}), "major"),
        (rule(kind="freshness", operator=None), rule(kind="freshness", operator=None, value=9), "major"),
        (rule(kind="freshness", operator=None), rule(kind="freshness", operator=None, value=1), "minor"),
        (rule(), None, "major"),
        (None, rule(), "minor"),
    ],
)
def test_quality_rules(before: Rule | None, after: Rule | None, bump: str) -> None:
    base, head = (contract(rules=(r,) if r else ()) for r in (before, after))
    assert required_bump(compare_contracts(base, head)) == bump


@pytest.mark.parametrize(
    ("fields", "bump"),
    [
        ({"description": "x"}, "patch"),
        ({"owners": ("x",)}, "patch"),
        ({"status": "proposed"}, "patch"),
        ({"status": "deprecated"}, "minor"),
        ({"label_delay": HOURS}, "minor"),
        ({"id": "x"}, "major"),
        ({"physical_name": "x"}, "patch"),
        ({"servers": (Server(name="x", type="local"),)}, "patch"),
    ],
)
def test_the_whole(fields: dict[str, Any], bump: str) -> None:
    (found,) = compare_contracts(contract(), contract(**fields))
    assert found.bump == bump


def test_where_rows_come_from_builds_again() -> None:
    moved = contract(servers=(Server(name="x", type="local"),))
    assert [c.effect for c in compare_contracts(contract(), moved)] == ["rebuild"]
    assert [c.effect for c in compare_contracts(contract(), contract(description="x"))] == ["none"]


_COLUMNS = st.builds(
    Column,
    name=st.sampled_from("abcd"),
    logical_type=st.sampled_from(LogicalType),
    required=st.booleans(),
    unit=st.none() | st.sampled_from(["m", "ft"]),
    role=st.none() | st.sampled_from(Role),
    enum=st.none() | st.sets(st.sampled_from("xyz"), min_size=1).map(sorted).map(tuple),
    minimum=st.none() | st.integers(0, 9) | st.just("2013-01-01"),
    available_at=st.none() | st.sampled_from([-HOURS, 0 * HOURS, HOURS]),
)
_CONTRACTS = st.lists(_COLUMNS, min_size=1, max_size=4, unique_by=lambda c: c.name).map(lambda c: contract(*c))


@given(_CONTRACTS)
def test_the_same_contract_has_no_changes(one: DataContract) -> None:
    again = DataContract.model_validate({**one.model_dump(mode="json"), "file": one.file})
    assert compare_contracts(one, again) == ()
    assert required_bump(()) == "none"


@given(_CONTRACTS, _CONTRACTS)
def test_data_that_differs_is_a_change(base: DataContract, head: DataContract) -> None:
    changes = compare_contracts(base, head)
    assert (base.data_digest() != head.data_digest()) <= bool(changes)
    assert all(c.what and c.bump != "none" for c in changes)


@given(_CONTRACTS, _CONTRACTS, st.data())
def test_more_changes_never_ask_for_less(base: DataContract, head: DataContract, data: st.DataObject) -> None:
    changes = compare_contracts(base, head)
    some = tuple(c for c in changes if data.draw(st.booleans()))
    assert ORDER.index(required_bump(some)) <= ORDER.index(required_bump(changes))
