"""Derived datasets: one SELECT over the inputs, and nothing else of this machine."""

import time

import pytest

from dagster_project.data.datasets import materialise, read
from dagster_project.data.sandbox import answer
from dagster_project.data.sql import Limits, Query, run_queries
from dagster_project.domain.contract import Rule
from dagster_project.domain.errors import UserFileError
from dagster_project.domain.verdict import Outcome

OUT = {"customer": {"logical_type": "integer", "role": "id"}, "total": "number"}
SQL = "SELECT customer, sum(price) AS total FROM orders GROUP BY customer"


@pytest.fixture
def orders(contract, workspace, landing):
    """A snapshot of three orders."""
    landing("orders.csv", "id,customer,price\n1,7,2\n2,7,3\n3,8,1\n")
    made = contract({"id": "integer", "customer": "integer", "price": "number"}, path="landing/orders*.csv")
    return lambda: materialise(made, {}, workspace).snapshot


def derived(contract, sql: str, columns=OUT):
    return contract(columns, sql=sql, inputs=("orders",), name="customers")


def test_sql_makes_rows_and_is_reused(contract, workspace, orders, landing) -> None:
    made = materialise(derived(contract, SQL), {"orders": orders()}, workspace)
    assert sorted(read(made.snapshot).collect().rows()) == [(7, 5.0), (8, 1.0)]
    assert made.snapshot.inputs == {"orders": orders().digest}
    assert materialise(derived(contract, SQL), {"orders": orders()}, workspace).reused
    before = orders()
    landing("orders2.csv", "id,customer,price\n4,9,1\n")
    after = materialise(derived(contract, SQL), {"orders": orders()}, workspace)
    assert (after.reused, after.snapshot.rows, after.snapshot.version) == (False, 3, 1)
    back = materialise(derived(contract, SQL), {"orders": before}, workspace)
    assert back.reused and back.snapshot == made.snapshot, "earlier inputs give the earlier version"


def test_a_repeated_id_is_refused(contract, workspace, orders) -> None:
    twice = SQL + " UNION ALL " + SQL
    made = materialise(derived(contract, twice), {"orders": orders()}, workspace)
    assert made.snapshot is None
    assert {found.name: found.value for found in made.findings}["id_unique"] == "2"


OUTSIDE = (
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_parquet('https://127.0.0.1:9/x.parquet')",
    "COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "ATTACH '/tmp/other.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '100GB'",
    "SELECT 1; SELECT 2",
    "CREATE TABLE t AS SELECT 1",
    "EXPORT DATABASE '/tmp/stolen'",
    "PRAGMA database_list",
    "SELECT getenv('HOME')",
    "SELECT * FROM a_python_variable",
)


@pytest.mark.parametrize("sql", OUTSIDE)
def test_the_sandbox_reaches_nothing_outside(sql) -> None:
    query = {"sql": sql, "output": None, "most_bytes": 0}
    said = answer({"tables": {}, "queries": [query], "memory_bytes": 10**9})
    assert said["fault"] in ("refused", "wrong") and said["query"] == 0


def test_refused_sql_is_the_files_problem(contract, workspace, orders) -> None:
    with pytest.raises(UserFileError, match=r"data_contracts/customers\.sql(:1)?: the SQL is refused") as caught:
        materialise(derived(contract, OUTSIDE[0]), {"orders": orders()}, workspace)
    assert caught.value.exit_code == 2


def test_wrong_sql_is_told_with_its_line(contract, workspace, orders) -> None:
    with pytest.raises(UserFileError, match=r"data_contracts/customers\.sql:2: the SQL can't be run: .*nonsense"):
        materialise(derived(contract, "SELECT customer,\n nonsense FROM orders"), {"orders": orders()}, workspace)


def test_sql_that_never_ends_is_ended() -> None:
    endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n) SELECT count(*) FROM n"
    started = time.monotonic()
    with pytest.raises(UserFileError, match=r"x\.sql: the SQL did not end within 2 s"):
        run_queries({}, [Query(endless, "x.sql")], Limits(seconds=2))
    assert time.monotonic() - started < 30


def test_sql_that_explodes_is_ended() -> None:
    sql = "SELECT list(a.range) FROM range(100000000) a, range(1000) b"
    with pytest.raises(UserFileError, match=r"x\.sql: the SQL takes more than 0.25 GiB"):
        run_queries({}, [Query(sql, "x.sql")], Limits(seconds=120, memory_bytes=256 * 1024**2))


def test_a_result_without_end_is_cut_off(tmp_path) -> None:
    query = Query("SELECT random() AS r FROM range(100000000000)", "x.sql", output=str(tmp_path / "rows.parquet"))
    with pytest.raises(UserFileError, match="larger than 1,000,000 bytes"):
        run_queries({}, [query], Limits(seconds=60, most_bytes=1_000_000))


def test_columns_of_the_sql_are_held_to_the_contract(contract, workspace, orders) -> None:
    sql = "SELECT customer, 'much' AS total, 1 AS more FROM orders WHERE customer = 8"
    made = materialise(derived(contract, sql), {"orders": orders()}, workspace)
    words = [finding.summary for finding in made.findings]
    assert words == [
        "data_contracts/customers.sql: column total: expected number, found String",
        "data_contracts/customers.sql: column more: expected no such column, found Int32",
    ]


def test_an_input_that_is_missing_is_told(contract, workspace) -> None:
    with pytest.raises(UserFileError, match="no snapshot of orders to read"):
        materialise(derived(contract, SQL), {}, workspace)


def test_sql_rules_of_a_contract(contract, workspace, landing) -> None:
    def rule(query: str, **more) -> Rule:
        arguments = {"query": query}
        return Rule(name="cheap", kind="sql", scope="dataset", arguments=arguments, operator="mustBeLessThan", **more)

    landing("orders.csv", "id,price\n1,2\n2,30\n")

    def finding(made: Rule):
        columns = {"id": "integer", "price": "number"}
        return materialise(contract(columns, (made,), path="landing/orders.csv"), {}, workspace).findings[-1]

    dear = 'SELECT count(*) FROM "orders" WHERE price > 10'
    assert (finding(rule(dear, value=2)).outcome, finding(rule(dear, value=1)).outcome) == (
        Outcome.PASSED, Outcome.FAILED
    )  # fmt: skip
    assert finding(rule("SELECT max(price) FROM orders WHERE price > 99", value=1)).outcome is Outcome.FAILED
    with pytest.raises(UserFileError, match=r"data_contracts/orders.yaml:42: cheap: the SQL is refused"):
        finding(rule("SELECT count(*) FROM read_csv('/etc/passwd')", value=1, line=42))
