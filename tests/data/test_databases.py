"""PostgreSQL and DuckDB as sources, against real servers and files."""

from collections.abc import Iterator

import duckdb
import pytest

from dagster_project.data.datasets import materialise, read
from dagster_project.domain.contract import Server
from dagster_project.domain.errors import MachineryError, UserFileError
from tests.postgres import OWNER, Postgres, running

COLUMNS = {
    "id": {"logical_type": "integer", "role": "id"}, "price": "number", "at": "timestamp", "name": "string",
    "paid": "boolean", "day": "date",
}  # fmt: skip
TABLE = """
CREATE TABLE orders (id integer, price numeric(10, 2), "at" {zoned}, name text, paid boolean, day date);
INSERT INTO orders VALUES (1, 2.5, '2013-01-01 10:00:00+00', 'é', true, '2013-01-01'), (2, NULL, NULL, NULL, NULL, NULL)
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server


def server(port: int, **more) -> Server:
    options = {"host": "127.0.0.1", "port": port, "database": "postgres", "schema": "public"}
    return Server(name="orders_db", type="postgres", options=options | more)


def test_postgres(contract, workspace, postgres, monkeypatch) -> None:
    monkeypatch.setenv("ACTS_POSTGRES_USER", OWNER)
    postgres.execute(TABLE.format(zoned="timestamptz"))
    made = contract(COLUMNS, server=server(postgres.port))
    first = materialise(made, {}, workspace)
    rows = read(first.snapshot).sort("id").collect()
    assert rows.row(0)[:2] == (1, 2.5)
    assert (str(rows["at"][0]), rows["name"][0], rows["paid"][0]) == ("2013-01-01 10:00:00", "é", True)
    again = materialise(made, {}, workspace)
    assert again.reused and again.snapshot == first.snapshot
    postgres.execute("UPDATE orders SET price = 7 WHERE id = 2")
    changed = materialise(made, {}, workspace)
    assert (changed.snapshot.rows, changed.snapshot.version) == (2, 1)
    assert sorted(read(changed.snapshot).collect()["price"]) == [2.5, 7.0]
    with pytest.raises(UserFileError, match=r"servers.orders_db: no table public.orders_of_old"):
        materialise(contract(COLUMNS, server=server(postgres.port, table="orders_of_old")), {}, workspace)
    words = [
        f.summary for f in materialise(contract({"id": "string"}, server=server(postgres.port)), {}, workspace).findings
    ]
    assert "column id: expected string, found Int32" in words[0]


def test_postgres_that_does_not_answer(contract, workspace, monkeypatch) -> None:
    monkeypatch.setenv("ACTS_POSTGRES_USER", "reader")
    monkeypatch.setenv("ACTS_POSTGRES_PASSWORD", "tell-nobody")
    with pytest.raises(MachineryError, match=r"orders.yaml: server orders_db: 127.0.0.1 doesn't answer") as caught:
        materialise(contract(COLUMNS, server=server(9)), {}, workspace)
    assert "tell-nobody" not in str(caught.value)


def test_duckdb_file(contract, workspace) -> None:
    workspace.repo.mkdir()
    with duckdb.connect(workspace.repo / "shop.duckdb") as connection:
        connection.execute(TABLE.format(zoned="timestamp"))
    shop = Server(name="shop", type="duckdb", options={"database": "shop.duckdb"})
    first = materialise(contract(COLUMNS, server=shop), {}, workspace)
    assert sorted(read(first.snapshot).collect()["id"]) == [1, 2]
    assert materialise(contract(COLUMNS, server=shop), {}, workspace).reused
    with pytest.raises(UserFileError, match=r"no table main\.orders"):
        with duckdb.connect(workspace.repo / "empty.duckdb"):
            pass
        empty = Server(name="shop", type="duckdb", options={"database": "empty.duckdb"})
        materialise(contract(COLUMNS, server=empty), {}, workspace)
    (workspace.repo / "broken.duckdb").write_bytes(b"no database at all" * 1000)
    broken = Server(name="shop", type="duckdb", options={"database": "broken.duckdb"})
    with pytest.raises(MachineryError, match=r"broken\.duckdb can't be read"):
        materialise(contract(COLUMNS, server=broken), {}, workspace)
