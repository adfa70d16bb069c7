"""A contract's document becomes columns, rules, servers and conditions."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.domain.contract import DataContract, Role, Rule
from dagster_project.domain.errors import UserFileError
from dagster_project.domain.odcs import load_contract
from dagster_project.domain.yamlfile import load_yaml, value_at

TEXT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
description: {purpose: What was ordered., usage: By day., limitations: No returns.}
team:
  name: shop
  members: [{username: ada}]
customProperties:
  - {property: threeacts.label_delay, value: P2D}
  - {property: other.vendor, value: kept out}
  - property: threeacts.deepchecks
    value: [{suite: data_integrity, check: MixedNulls, severity: warning}]
servers:
  - {server: files, type: local, path: 'landing/orders/*.csv', format: csv}
  - {server: bucket, type: s3, location: 's3://orders/*.parquet', format: parquet, endpointUrl: 'http://127.0.0.1:1', environment: demo}
  - {server: db, type: postgres, host: localhost, port: 5432, database: shop, schema: public, environment: test}
  - {server: duck, type: duckdb, database: shop.duckdb, schema: main, environment: duck}
slaProperties:
  - {property: freshness, value: 2, unit: d, element: orders.at}
  - {property: retention, value: 3, unit: y}
schema:
  - name: orders
    physicalName: t_orders
    quality:
      - {metric: rowCount, mustBeBetween: [1, 100]}
      - {name: no_doubles, metric: duplicateValues, arguments: {properties: [a, b]}, mustBe: 0}
      - {type: sql, query: 'SELECT count(*) FROM ${table} WHERE b < 0', mustBeLessOrEqualTo: 1, severity: warning}
      - {type: text, description: People read this.}
      - type: custom
        engine: deepchecks
        implementation: {suite: data_integrity, check: DataDuplicates}
    properties:
      - name: a
        logicalType: integer
        primaryKey: true
        primaryKeyPosition: 1
        relationships: [{to: others.a}]
        customProperties:
          - {property: threeacts.role, value: id}
      - name: b
        logicalType: number
        primaryKey: true
        primaryKeyPosition: 2
        logicalTypeOptions: {exclusiveMinimum: -1, maximum: 9}
        quality:
          - {metric: nullValues, mustBeLessThan: 5, unit: percent}
          - {metric: nullValues, mustBe: 0, severity: info}
          - {metric: invalidValues, arguments: {validValues: [1, 2]}, mustBe: 0}
          - {type: sql, query: 'SELECT max({column}) FROM {table}', mustBeLessThan: 3}
          - {type: custom, engine: deepchecks, implementation: {suite: data_integrity, check: IsSingleValue}}
        customProperties:
          - {property: threeacts.unit, value: miles}
          - {property: threeacts.available_at, value: -P1DT2H}
      - name: at
        logicalType: timestamp
        required: true
        customProperties:
          - {property: threeacts.role, value: event_time}
      - name: late
        logicalType: boolean
        enum: [{value: true}, {value: false}]
        customProperties:
          - {property: threeacts.role, value: label}
"""  # noqa: E501


@pytest.fixture(scope="module")
def orders() -> DataContract:
    return load_contract(TEXT, "data_contracts/orders.yaml")


def rule(contract: DataContract, name: str) -> Rule:
    (found,) = [rule for rule in contract.rules if rule.name == name]
    return found


def test_head(orders: DataContract) -> None:
    assert orders.description == "What was ordered.\n\nBy day.\n\nNo returns."
    assert orders.owners == ("shop", "ada")
    assert orders.physical_name == "t_orders"
    assert orders.label_delay == timedelta(days=2)
    checks = [(c.check, c.severity, c.arguments) for c in orders.conditions]
    assert checks == [
        ("MixedNulls", "warning", {}),
        ("DataDuplicates", "error", {}),
        ("IsSingleValue", "error", {"columns": ["b"]}),
    ]


def test_columns(orders: DataContract) -> None:
    assert orders.column_names == ("a", "b", "at", "late")
    b = orders.column("b")
    assert (b.unit, b.available_at, b.exclusive_minimum, b.maximum) == ("miles", timedelta(hours=-26), -1, 9)
    assert b.line == TEXT[: TEXT.index("- name: b")].count("\n") + 1
    assert [c.name for c in orders.with_role(Role.LABEL)] == ["late"]
    assert orders.column("late").enum == (True, False)


def test_servers(orders: DataContract) -> None:
    assert [(s.name, s.type, s.environment) for s in orders.servers] == [
        ("files", "local", None),
        ("bucket", "s3", "demo"),
        ("db", "postgres", "test"),
        ("duck", "duckdb", "duck"),
    ]
    assert orders.servers[2].options == {"host": "localhost", "port": 5432, "database": "shop", "schema": "public"}


def test_rules_of_columns(orders: DataContract) -> None:
    assert rule(orders, "a.required").scope == "row"
    assert rule(orders, "primary_key").columns == ("a", "b")
    assert rule(orders, "b.exclusive_minimum").value == -1
    assert rule(orders, "late.enum").value == (True, False)
    assert rule(orders, "at.type").value == "timestamp"


def test_quality_rules(orders: DataContract) -> None:
    count = rule(orders, "orders.row_count")
    assert (count.operator, count.value, count.scope) == ("mustBeBetween", [1, 100], "dataset")
    assert rule(orders, "no_doubles").columns == ("a", "b")
    sql = rule(orders, "orders.sql")
    assert sql.arguments["query"] == 'SELECT count(*) FROM "orders" WHERE b < 0'
    assert sql.severity == "warning"
    assert rule(orders, "b.sql").arguments["query"] == 'SELECT max("b") FROM "orders"'
    nulls = rule(orders, "b.null_values")
    assert (nulls.operator, nulls.value, nulls.unit, nulls.severity) == ("mustBeLessThan", 5, "percent", "error")
    assert rule(orders, "b.null_values_2").severity == "warning"
    assert rule(orders, "b.invalid_values").arguments == {"validValues": [1, 2]}
    assert rule(orders, "freshness").value == 2 * 86_400
    assert rule(orders, "freshness").columns == ("at",)
    assert rule(orders, "a.relationship").arguments == {"dataset": "others", "columns": ["a"]}
    assert all(rule.line for rule in orders.rules)
    assert len({rule.name for rule in orders.rules}) == len(orders.rules)


def test_lines_are_no_part_of_what_the_data_depends_on(orders: DataContract) -> None:
    moved = load_contract("# a comment\n" + TEXT, "data_contracts/orders.yaml")
    assert moved.columns[0].line == (orders.columns[0].line or 0) + 1
    assert moved.data_digest() == orders.data_digest()
    assert moved.content_digest() == orders.content_digest()


def test_problems_of_the_sql_and_of_the_contract_come_together() -> None:
    text = TEXT.replace("status: active", "status: actve").replace("threeacts.label_delay", "threeacts.labeldelay")
    text = text.replace(
        "customProperties:\n", "customProperties:\n  - {property: threeacts.derived_from, value: [x]}\n", 1
    )
    with pytest.raises(UserFileError) as caught:
        load_contract(text, "data_contracts/orders.yaml", "SELECT now() AS a\nFROM y", "data_contracts/orders.sql")
    text = str(caught.value)
    for words in ("actve", "labeldelay", "delete `servers`", "another answer", "orders.sql:2: `y` is none"):
        assert words.lower() in text.lower()


def test_sql_and_derived_from_belong_together() -> None:
    with pytest.raises(UserFileError, match=r"orders\.sql lies beside the contract, which is not derived"):
        load_contract(TEXT, "data_contracts/orders.yaml", "SELECT 1", "data_contracts/orders.sql")
    servers = TEXT[TEXT.index("servers:") : TEXT.index("slaProperties")]
    text = TEXT.replace(servers, "").replace("threeacts.label_delay, value: P2D", "threeacts.derived_from, value: [x]")
    with pytest.raises(UserFileError, match=r"there is no data_contracts/orders\.sql"):
        load_contract(text, "data_contracts/orders.yaml")


def _places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*place, key)
        yield from _places(inner, (*place, key))


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(list(_places(load_yaml(TEXT, "x").value))),
    st.sampled_from([17, -1.5, True, "x", "", None, [], {}, [[1]], [None], {"a": {"b": 1}}]),
)
def test_any_shape_anywhere_ends_in_a_contract_or_in_messages(place: tuple[str | int, ...], new: Any) -> None:
    value = load_yaml(TEXT, "x").value
    value_at(value, place[:-1])[place[-1]] = new
    try:
        load_contract(json.dumps(value, indent=1), "data_contracts/orders.yaml")
    except UserFileError as error:
        assert [p for p in error.problems if not (p.hint and p.line)] == []
