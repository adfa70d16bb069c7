"""Splits: parts that don't overlap and don't move, and a holdout that no build can read."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.data.datasets import materialise
from dagster_project.data.split_rules import HOLDOUT, NONE, TRAIN, VALIDATION, hash_parts, time_parts
from dagster_project.data.splits import PARTS, read_part, row_hashes, split_key, write_split
from dagster_project.domain.errors import RefusedError, UsageError
from dagster_project.domain.spec import GroupSplit, Holdout, ModelSpec, StratifiedSplit, TimeSplit

START = datetime(2013, 1, 1)
COLUMNS = {
    "id": {"logical_type": "string", "role": "id"},
    "at": {"logical_type": "timestamp", "role": "event_time"},
    "shop": {"logical_type": "string", "role": "group"},
    "price": "number",
    "late": {"logical_type": "boolean", "role": "label"},
}
BY_SHARE = TimeSplit(by="time", validation=0.2, holdout=Holdout(size=0.2))
BY_TIME = TimeSplit(
    by="time", validation=timedelta(days=10), holdout=Holdout(size=timedelta(days=10)), gap=timedelta(days=1),
    window=timedelta(days=20),
)  # fmt: skip
BY_ID = StratifiedSplit(by="stratified", validation=0.2, holdout=Holdout(size=0.2))
BY_SHOP = GroupSplit(by="group", column="shop", validation=0.3, holdout=Holdout(size=0.3))
HOURS = st.lists(st.integers(0, 24 * 60), min_size=3, max_size=60)


def spec(split) -> ModelSpec:
    return ModelSpec.model_construct(name="late", target="late", split=split)


def stamps(hours: list[int]) -> pl.Series:
    return pl.Series([START + timedelta(hours=hour) for hour in hours], dtype=pl.Datetime("us"))


@settings(max_examples=100, deadline=None)
@given(HOURS, st.sampled_from([BY_SHARE, BY_TIME]))
def test_time_parts_come_in_order_and_ties_stay_together(hours, split) -> None:
    parts = time_parts(stamps(hours), split)
    at = {code: [hour for hour, part in zip(hours, parts, strict=True) if part == code] for code in (-1, 0, 1, 2)}
    gap = split.gap / timedelta(hours=1)
    for earlier, later in ((TRAIN, VALIDATION), (VALIDATION, HOLDOUT), (TRAIN, HOLDOUT)):
        if at[earlier] and at[later]:
            assert max(at[earlier]) < min(at[later]) - gap
    assert len(set(zip(hours, parts, strict=True))) == len(set(hours))
    assert at[HOLDOUT] and max(at[HOLDOUT]) == max(hours)


def test_time_parts_by_duration() -> None:
    hours = list(range(24 * 60))
    parts = time_parts(stamps(hours), BY_TIME)
    codes = (TRAIN, VALIDATION, HOLDOUT)
    days = {code: sorted({hour // 24 for hour in np.flatnonzero(parts == code)}) for code in codes}
    assert days[HOLDOUT] == list(range(50, 60))
    assert (days[VALIDATION][0], days[VALIDATION][-1]) == (39, 48)
    assert (days[TRAIN][0], days[TRAIN][-1]) == (18, 37)
    assert (parts == NONE).sum() == 24 * (60 - 10 - 10 - 20)


def test_time_parts_by_share() -> None:
    parts = time_parts(stamps(list(range(1000))), BY_SHARE)
    assert [int((parts == code).sum()) for code in (TRAIN, VALIDATION, HOLDOUT)] == [600, 200, 200]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(), unique=True, max_size=50), st.lists(st.text(), unique=True, max_size=50), st.integers(0, 5))
def test_a_row_keeps_its_part_when_others_arrive(old, new, seed) -> None:
    split = BY_ID.model_copy(update={"seed": seed})
    before = hash_parts(pl.DataFrame({"id": old}, schema={"id": pl.String}), split)
    after = hash_parts(pl.DataFrame({"id": [*new, *old]}, schema={"id": pl.String}), split)
    assert after[len(new) :].tolist() == before.tolist()


def test_hash_parts_have_their_shares_and_the_seed_moves_them() -> None:
    keys = pl.DataFrame({"id": [str(n) for n in range(20_000)]})
    parts = hash_parts(keys, BY_ID)
    shares = [float((parts == code).mean()) for code in (TRAIN, VALIDATION, HOLDOUT)]
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.015)
    other = hash_parts(keys, BY_ID.model_copy(update={"seed": 1}))
    assert 0.3 < float((parts == other).mean()) < 0.6
    with pytest.raises(UsageError, match="takes a share"):
        hash_parts(keys, BY_ID.model_copy(update={"holdout": Holdout(size=timedelta(days=1))}))


@pytest.fixture
def table(contract, workspace):
    """(contract, snapshot) of 2,000 rows in 20 shops over 60 days; every tenth row has no label."""
    rows = pl.DataFrame(
        {
            "id": [f"id{n}" for n in range(2000)],
            "at": [START + timedelta(minutes=43 * n) for n in range(2000)],
            "shop": [f"shop{n % 20}" for n in range(2000)],
            "price": [float(n) for n in range(2000)],
            "late": [None if n % 10 == 0 else n % 3 == 0 for n in range(2000)],
        }
    )
    (workspace.repo / "landing").mkdir(parents=True)
    rows.write_parquet(workspace.repo / "landing" / "a.parquet")
    made = contract(COLUMNS, path="landing/*.parquet")
    return made, materialise(made, {}, workspace).snapshot


@pytest.mark.parametrize("split", [BY_SHARE, BY_TIME, BY_ID, BY_SHOP], ids=["share", "time", "id", "group"])
def test_parts_are_disjoint_and_no_holdout_row_is_written(table, workspace, split) -> None:
    contract, snapshot = table
    written = write_split(spec(split), contract, snapshot, workspace)
    parts = {name: read_part(spec(split), contract, snapshot, name) for name in PARTS}
    ids = {name: set(part["id"]) for name, part in parts.items()}
    assert not ids["train"] & ids["validation"] and not (ids["train"] | ids["validation"]) & ids["holdout"]
    assert all(part["late"].null_count() == 0 for part in parts.values())
    assert pl.read_parquet(written.train.uri).equals(parts["train"])
    assert pl.read_parquet(written.validation.uri).equals(parts["validation"])
    assert (written.train.rows, written.validation.labelled) == (len(ids["train"]), len(ids["validation"]))
    files = [path for path in (workspace.home / "warehouse" / "splits").rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in files) == [".json", ".parquet", ".parquet"]
    seen = set().union(*(pl.read_parquet(path)["id"].to_list() for path in files if path.suffix == ".parquet"))
    assert not ids["holdout"] & seen
    if split is BY_SHOP:
        shops = [set(part["shop"]) for part in parts.values()]
        assert not shops[0] & shops[1] and not (shops[0] | shops[1]) & shops[2]


def test_a_split_is_written_once_and_keyed_by_what_decides_it(table, workspace) -> None:
    contract, snapshot = table
    first = write_split(spec(BY_SHARE), contract, snapshot, workspace)
    stamp = Path(first.train.uri).stat().st_mtime_ns
    budget = BY_SHARE.model_copy(update={"holdout": Holdout(size=0.2, judgements=5)})
    assert write_split(spec(budget), contract, snapshot, workspace) == first
    assert Path(first.train.uri).stat().st_mtime_ns == stamp
    other = BY_SHARE.model_copy(update={"validation": 0.1})
    assert split_key(spec(other), contract, snapshot) != split_key(spec(BY_SHARE), contract, snapshot)


def test_order_and_hashes_do_not_depend_on_files(contract, workspace, table) -> None:
    made, snapshot = table
    rows = pl.read_parquet(workspace.repo / "landing" / "a.parquet").reverse()
    (workspace.repo / "other").mkdir()
    for place, half in enumerate((rows[:700], rows[700:])):
        half.write_parquet(workspace.repo / "other" / f"{place}.parquet")
    moved = contract(COLUMNS, path="other/*.parquet")
    again = materialise(moved, {}, workspace).snapshot
    assert again.digest == snapshot.digest
    one, two = (read_part(spec(BY_ID), made, s, "holdout") for s in (snapshot, again))
    assert one.equals(two)
    assert row_hashes(one, made).tolist() == row_hashes(two, made).tolist()
    assert len(set(row_hashes(one, made).tolist())) == one.height


def test_an_empty_part_is_refused(table, workspace) -> None:
    contract, snapshot = table
    short = BY_TIME.model_copy(update={"validation": timedelta(days=55)})
    with pytest.raises(RefusedError, match="the split leaves no train rows of 1,800 labelled ones"):
        write_split(spec(short), contract, snapshot, workspace)
    assert not (workspace.home / "warehouse" / "splits").exists()
