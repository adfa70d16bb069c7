"""Tables that only grow: positions go with rows, columns come later."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from dagster_project.data.tables import ConflictError
from dagster_project.monitoring.append_table import AppendTable, rows_of

DAY = date(2026, 3, 1)
OLD = pl.Schema({"name": pl.String(), "day": pl.Date()})
NEW = pl.Schema({"name": pl.String(), "time": pl.Datetime("us", "UTC"), "day": pl.Date()})


def rows(schema: pl.Schema, *names: str) -> pl.DataFrame:
    return pl.DataFrame([{"name": name, "day": DAY} for name in names], schema=schema)


def names(table: AppendTable) -> list[str]:
    return sorted(rows_of(table.uri, NEW).collect()["name"])


def test_positions_are_committed_with_rows_and_without_any(tmp_path: Path) -> None:
    table = AppendTable(str(tmp_path), "deep/er", OLD)
    assert (table.version, table.position("a")) == (None, 0) and names(table) == []
    table.commit(rows(OLD, "x"), {"a": 3})
    table = AppendTable(str(tmp_path), "deep/er", OLD)
    table.commit(rows(OLD), {"a": 5, "b": 1})
    table = AppendTable(str(tmp_path), "deep/er", OLD)
    assert (table.version, table.position("a"), table.position("b"), names(table)) == (1, 5, 1, ["x"])


def test_a_column_that_an_older_table_lacks_is_null_there_and_added(tmp_path: Path) -> None:
    AppendTable(str(tmp_path), "t", OLD).commit(rows(OLD, "x"), {"a": 1})
    old = AppendTable(str(tmp_path), "t", NEW)
    assert rows_of(old.uri, NEW).collect().rows() == [("x", None, DAY)]
    late = AppendTable(str(tmp_path), "t", NEW)
    old.commit(rows(NEW, "y"), {"a": 2})
    with pytest.raises(ConflictError):
        late.commit(rows(NEW, "z"), {"a": 2})
    assert len(list(Path(old.uri).rglob("*.parquet"))) == 2
    again = AppendTable(str(tmp_path), "t", NEW)
    assert (again.position("a"), names(again)) == (2, ["x", "y"])
    assert rows_of(again.uri, NEW).filter(pl.col("time").is_null()).collect().height == 2


def test_who_comes_second_takes_nothing(tmp_path: Path) -> None:
    first, second = (AppendTable(str(tmp_path), "t", OLD) for _ in range(2))
    first.commit(rows(OLD, "x"), {"a": 1})
    with pytest.raises(ConflictError):
        second.commit(rows(OLD, "y"), {"a": 1})
    assert names(first) == ["x"] and len(list(Path(first.uri).rglob("*.parquet"))) == 1
