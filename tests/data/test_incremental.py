"""Snapshots that grow: only new files are read, and everything about old and new rows together holds."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from dagster_project.data.datasets import current_snapshot, materialise, read, read_quarantine
from dagster_project.data.records import latest_record, records
from dagster_project.domain.contract import Rule
from dagster_project.domain.errors import UserFileError
from dagster_project.domain.verdict import Outcome

COLUMNS = {"id": {"logical_type": "integer", "role": "id"}, "price": {"logical_type": "number", "minimum": 0}}


@pytest.fixture
def orders(contract):
    return contract(COLUMNS, path="landing/*.csv")


def test_new_files_are_added_and_old_ones_are_not_read_again(orders, workspace, landing) -> None:
    first_file = landing("day1.csv", "id,price\n1,2.5\n2,3\n")
    first = materialise(orders, {}, workspace)
    assert (first.snapshot.rows, first.snapshot.version, first.new_rows, first.reused) == (2, 0, 2, False)
    again = materialise(orders, {}, workspace)
    assert again.reused and again.snapshot == first.snapshot and again.findings == first.findings
    landing("day2.csv", "id,price\n3,\n")
    first_file.unlink()  # what was read isn't needed any more
    second = materialise(orders, {}, workspace)
    assert (second.snapshot.rows, second.snapshot.version, second.new_rows) == (3, 1, 1)
    assert sorted(read(second.snapshot).collect()["id"]) == [1, 2, 3]
    assert sorted(read(first.snapshot).collect()["id"]) == [1, 2]
    assert second.statistics["price"] == {"rows": 3, "nulls": 1, "minimum": 2.5, "maximum": 3.0}
    assert current_snapshot("orders", workspace) == second.snapshot


def test_the_digest_does_not_know_how_the_rows_came(orders, workspace, landing, tmp_path) -> None:
    landing("a.csv", "id,price\n1,2\n")
    materialise(orders, {}, workspace)
    landing("b.csv", "id,price\n2,4\n")
    grown = materialise(orders, {}, workspace).snapshot
    other = workspace.model_copy(update={"repo": tmp_path / "other"})
    (other.repo / "landing").mkdir(parents=True)
    (other.repo / "landing" / "all.csv").write_text("price,id\n4.0,2\n2.0,1\n")
    assert materialise(orders, {}, other).snapshot.digest == grown.digest


def test_a_copied_file_is_no_change_and_a_changed_one_is_refused(orders, workspace, landing) -> None:
    path = landing("day1.csv", "id,price\n1,2\n")
    first = materialise(orders, {}, workspace).snapshot
    os.utime(path, (1, 1))
    assert materialise(orders, {}, workspace).reused
    path.write_text("id,price\n1,9\n")
    os.utime(path, (2, 2))
    refused = materialise(orders, {}, workspace)
    assert refused.snapshot is None
    assert refused.findings[0].name == "source_changed"
    assert "landing/day1.csv was read before and has changed" in refused.findings[0].summary
    assert current_snapshot("orders", workspace) == first


def test_an_id_that_comes_again_is_refused_and_nothing_is_added(orders, workspace, landing) -> None:
    landing("day1.csv", "id,price\n1,2\n")
    first = materialise(orders, {}, workspace).snapshot
    late = landing("day2.csv", "id,price\n1,3\n")
    refused = materialise(orders, {}, workspace)
    failed = [finding for finding in refused.findings if finding.outcome is Outcome.FAILED]
    assert [(finding.name, finding.value) for finding in failed] == [("id_unique", "1")]
    assert current_snapshot("orders", workspace) == first
    rows = workspace.repo / ".acts" / "warehouse" / "datasets" / "orders"
    assert len(list(rows.rglob("*.parquet"))) == 1, "what was staged is gone"
    late.write_text("id,price\n2,3\n")
    assert materialise(orders, {}, workspace).snapshot.rows == 2


def test_rows_that_break_a_row_rule_go_to_quarantine(orders, workspace, landing) -> None:
    landing("day1.csv", "id,price\n1,-2\n2,3\n,4\n")
    made = materialise(orders, {}, workspace)
    assert (made.snapshot.rows, made.snapshot.quarantined) == (1, 2)
    found = {finding.name: finding for finding in made.findings}
    assert found["price.minimum"].outcome is Outcome.WARNED
    assert found["price.minimum"].details["samples"] == [{"price": "-2.0"}]
    landing("day2.csv", "id,price\n5,-1\n6,1\n")
    made = materialise(orders, {}, workspace)
    assert (made.snapshot.rows, made.snapshot.quarantined) == (2, 3)
    assert {finding.name: finding.value for finding in made.findings}["price.minimum"] == "2"
    aside = read_quarantine(made.snapshot).sort("price").collect()
    assert aside["_broken_rules"].to_list() == [["price.minimum"], ["price.minimum"], ["id.required"]]
    assert materialise(orders, {}, workspace).findings == made.findings, "a second look says the same"


def test_all_rows_broken_leaves_no_snapshot(orders, workspace, landing) -> None:
    landing("day1.csv", "id,price\n1,-2\n")
    made = materialise(orders, {}, workspace)
    assert made.snapshot is None
    assert made.findings[0].summary == "all 1 rows break a rule and none is left: price.minimum (1)"


def test_percentages_and_counts_merge(contract, workspace, landing) -> None:
    rules = (
        Rule(name="few_nulls", kind="null_values", scope="dataset", columns=("price",), operator="mustBeLessThan",
             value=30, unit="percent"),
        Rule(name="enough", kind="row_count", scope="dataset", operator="mustBeGreaterOrEqualTo", value=4),
    )  # fmt: skip
    made = contract(COLUMNS, rules, path="landing/*.csv")
    landing("a.csv", "id,price\n1,2\n2,2\n3,2\n4,\n")
    assert materialise(made, {}, workspace).snapshot.rows == 4
    landing("b.csv", "id,price\n5,\n")
    found = {finding.name: finding for finding in materialise(made, {}, workspace).findings}
    assert (found["few_nulls"].outcome, found["few_nulls"].value) == (Outcome.FAILED, "40.0")
    assert (found["enough"].outcome, found["enough"].value) == (Outcome.PASSED, "5")


def test_relationships_look_into_the_other_dataset(contract, workspace, landing) -> None:
    rule = Rule(
        name="customer.relationship", kind="relationship", scope="dataset", columns=("customer",),
        arguments={"dataset": "customers", "columns": ["id"]},
    )  # fmt: skip
    made = contract({"id": "integer", "customer": "integer"}, (rule,), path="landing/orders.csv")
    landing("orders.csv", "id,customer\n1,7\n2,\n3,8\n")
    broken = materialise(made, {}, workspace)
    assert (broken.snapshot, broken.findings[-1].outcome) == (None, Outcome.BROKEN)
    landing("customers.csv", "id\n7\n")
    customers = contract({"id": "integer"}, path="landing/customers.csv", name="customers")
    materialise(customers, {}, workspace)
    finding = materialise(made, {}, workspace).findings[-1]
    assert (finding.outcome, finding.value) == (Outcome.FAILED, "1")


def test_freshness_is_asked_every_time(contract, workspace, landing) -> None:
    def made(seconds):
        rule = Rule(name="freshness", kind="freshness", scope="dataset", columns=("at",), value=seconds)
        return contract({"at": "timestamp"}, (rule,), path="landing/*.csv")

    landing("a.csv", "at\n2013-01-01T00:00:00Z\n")
    assert materialise(made(60), {}, workspace).snapshot is None
    century = made(100 * 365 * 86400)
    assert materialise(century, {}, workspace).snapshot and materialise(century, {}, workspace).reused


def test_a_changed_contract_reads_everything_anew(contract, orders, workspace, landing) -> None:
    landing("a.csv", "id,price\n1,2\n2,5\n")
    first = materialise(orders, {}, workspace).snapshot
    stricter = {**COLUMNS, "price": {"logical_type": "number", "minimum": 3}}
    second = materialise(contract(stricter, path="landing/*.csv"), {}, workspace).snapshot
    assert (second.rows, second.quarantined) == (1, 1)
    assert materialise(orders, {}, workspace).snapshot == first, "the base branch's version is still there"


def test_builds_at_once_lose_and_double_nothing(orders, workspace, landing) -> None:
    for day in range(6):
        landing(f"day{day}.csv", f"id,price\n{day},1\n")
    context = multiprocessing.get_context("spawn")
    builds = [context.Process(target=materialise, args=(orders, {}, workspace)) for _ in range(3)]
    for build in builds:
        build.start()
    landing("late.csv", "id,price\n100,1\n")
    for build in builds:
        build.join(60)
    assert [build.exitcode for build in builds] == [0, 0, 0]
    snapshot = materialise(orders, {}, workspace).snapshot
    assert sorted(read(snapshot).collect()["id"]) == [0, 1, 2, 3, 4, 5, 100]


@pytest.mark.slow
def test_a_killed_build_leaves_the_last_snapshot(orders, workspace, tmp_path) -> None:
    def deliver(name: str, first: int) -> None:
        rows = pl.select(id=pl.int_range(first, first + 300_000), price=pl.lit(1.0))
        (workspace.repo / "landing").mkdir(parents=True, exist_ok=True)
        rows.write_csv(workspace.repo / "landing" / name)

    deliver("a.csv", 0)
    first = materialise(orders, {}, workspace).snapshot
    deliver("b.csv", 300_000)
    (tmp_path / "contract.json").write_text(orders.model_dump_json())
    program = (
        "import sys; from pathlib import Path; from dagster_project.domain.contract import DataContract;"
        "from dagster_project.domain.workspace import Workspace; from dagster_project.data.datasets import materialise;"
        "import json; fields = json.loads(Path(sys.argv[1]).read_text()) | {'file': 'data_contracts/orders.yaml'};"
        "print('go', flush=True); materialise(DataContract(**fields), {}, Workspace(repo=Path(sys.argv[2])))"
    )
    for delay in (0.3, 0.6, 0.9, 1.2):
        command = [sys.executable, "-c", program, str(tmp_path / "contract.json"), str(workspace.repo)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as build:
            build.stdout.readline()
            time.sleep(delay)
            build.send_signal(signal.SIGKILL)
        record = latest_record(_table(first))
        assert record.snapshot.rows in (300_000, 600_000)
        assert read(record.snapshot).select(pl.len()).collect().item() == record.snapshot.rows
    snapshot = materialise(orders, {}, workspace).snapshot
    assert (snapshot.rows, read(snapshot).select(pl.col("id").n_unique()).collect().item()) == (600_000, 600_000)


def _table(snapshot):
    from upath import UPath

    return UPath(snapshot.uri)


def test_records_are_read_without_the_heavy_libraries(orders, workspace, landing) -> None:
    landing("a.csv", "id,price\n1,2\n")
    snapshot = materialise(orders, {}, workspace).snapshot
    assert [record.snapshot for record in records(_table(snapshot))] == [snapshot]
    program = (
        "import sys; from pathlib import Path; from dagster_project.domain.workspace import Workspace;"
        "from dagster_project.data.datasets import current_snapshot;"
        "print(current_snapshot('orders', Workspace(repo=Path(sys.argv[1]))).digest);"
        "print([name for name in ('polars', 'deltalake', 'duckdb', 'pyarrow', 'numpy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(workspace.repo)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.split("\n")[:2] == [snapshot.digest, "[]"]


def test_a_contract_without_a_place_is_wrong(contract, workspace) -> None:
    with pytest.raises(UserFileError, match=r"data_contracts/orders.yaml: .*nothing says where the rows come from"):
        materialise(contract(COLUMNS), {}, workspace)
