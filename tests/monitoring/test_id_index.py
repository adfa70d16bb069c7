"""The index says on which days an id may have been answered; its segments are few and made again from the table."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from dagster_project.monitoring.append_table import AppendTable
from dagster_project.monitoring.id_index import IdIndex
from dagster_project.monitoring.tables import answers_schema

FIRST = date(2026, 1, 1)


def table(warehouse: Path) -> AppendTable:
    return AppendTable(str(warehouse), "answers", answers_schema())


def add(warehouse: Path, first: int, rows: int) -> int:
    """Rows whose day is their number; the version that they made."""
    here = table(warehouse)
    numbers = range(first, first + rows)
    added = [
        {"row_id": f"r{number}", "id": f"i{number // 2}", "day": FIRST + timedelta(days=number % 50)}
        for number in numbers
    ]
    here.commit(pl.DataFrame(added, schema=answers_schema()), {})
    return table(warehouse).version or 0


def index(warehouse: Path) -> IdIndex:
    here = table(warehouse)
    return IdIndex(here.uri, here.version)


def segments(warehouse: Path) -> list[Path]:
    return sorted((warehouse / "answers" / "_ids").iterdir())


def test_days_by_either_id_and_none_for_strangers(tmp_path: Path) -> None:
    add(tmp_path, 0, 100)
    found = index(tmp_path)
    assert found.days(pl.Series(["r7"])) == [FIRST + timedelta(days=7)]
    assert found.days(pl.Series(["i3", None])) == [FIRST + timedelta(days=6), FIRST + timedelta(days=7)]
    assert found.days(pl.Series(["r100", "x"])) == [] and found.days(pl.Series([], dtype=pl.String)) == []


def test_no_table_knows_nobody(tmp_path: Path) -> None:
    assert IdIndex(table(tmp_path).uri, None).days(pl.Series(["r1"])) == []


def test_segments_merge_and_each_id_is_found_however_many_there_were(tmp_path: Path) -> None:
    for number in range(40):
        add(tmp_path, number * 10, 10)
        found = index(tmp_path)
        assert found.days(pl.Series([f"r{number * 10}"])) == [FIRST + timedelta(days=number * 10 % 50)]
        assert found.days(pl.Series(["r0"])) == [FIRST]
    assert len(segments(tmp_path)) <= 7, "as many as 400 has binary digits, or fewer"


def test_what_is_missing_or_another_polars_made_is_made_again(tmp_path: Path) -> None:
    for number in range(5):
        add(tmp_path, number * 100, 100 - number)
        index(tmp_path)
    kept = segments(tmp_path)
    kept[0].rename(kept[0].with_name(kept[0].name.replace("polars-", "polars-0")))
    assert index(tmp_path).days(pl.Series(["r50"])) == [FIRST]
    for path in segments(tmp_path):
        path.unlink()
    assert index(tmp_path).days(pl.Series(["r250"])) == [FIRST]


def test_an_older_version_is_not_answered_from_a_newer_index(tmp_path: Path) -> None:
    version = add(tmp_path, 0, 10)
    add(tmp_path, 10, 10)
    index(tmp_path)
    assert IdIndex(table(tmp_path).uri, version).days(pl.Series(["r15"])) == []


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(1969, 12, 31), date(2059, 9, 1)])
def test_far_days_are_kept(tmp_path: Path, day: date) -> None:
    frame = pl.DataFrame([{"row_id": "r", "day": day}], schema=answers_schema())
    table(tmp_path).commit(frame, {})
    assert index(tmp_path).days(pl.Series(["r"])) == [day]
