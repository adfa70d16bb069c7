"""A full disk and a million bad rows: clear words, bounded memory, and the last snapshot as it was."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dagster_project.data.datasets import current_snapshot, materialise, read
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.verdict import Outcome

pytestmark = pytest.mark.slow
COLUMNS = {"id": {"logical_type": "integer", "role": "id"}, "noise": "number"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def deliver(folder: Path, name: str, first: int, rows: int) -> None:
    noise = np.random.default_rng(first).normal(size=rows)
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"id": np.arange(first, first + rows), "noise": noise}).write_parquet(folder / name)


def test_a_full_disk_leaves_the_last_snapshot(contract, workspace, small_disk, monkeypatch) -> None:
    monkeypatch.setenv("ACTS_WAREHOUSE", str(small_disk / "warehouse"))
    made = contract(COLUMNS, path="landing/*.parquet")
    deliver(workspace.repo / "landing", "a.parquet", 0, 1000)
    first = materialise(made, {}, workspace).snapshot
    deliver(workspace.repo / "landing", "b.parquet", 1000, 1_000_000)
    with pytest.raises(MachineryError, match=r"can't be written: .*\. Nothing was changed") as caught:
        materialise(made, {}, workspace)
    assert caught.value.exit_code == 3
    assert current_snapshot("orders", workspace) == first
    assert read(first).select(pl.len()).collect().item() == 1000
    (workspace.repo / "landing" / "b.parquet").unlink()
    deliver(workspace.repo / "landing", "c.parquet", 1000, 1000)
    assert materialise(made, {}, workspace).snapshot.rows == 2000, "what was half written takes no room"


def test_no_byte_left_for_the_log(contract, workspace, small_disk, monkeypatch) -> None:
    monkeypatch.setenv("ACTS_WAREHOUSE", str(small_disk / "warehouse"))
    made = contract(COLUMNS, path="landing/*.parquet")
    deliver(workspace.repo / "landing", "a.parquet", 0, 1000)
    first = materialise(made, {}, workspace).snapshot
    deliver(workspace.repo / "landing", "b.parquet", 1000, 10)
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        file.write(bytes(free - 4096))
    with pytest.raises(MachineryError, match="Nothing was changed"):
        materialise(made, {}, workspace)
    filler.unlink()
    assert current_snapshot("orders", workspace) == first
    assert materialise(made, {}, workspace).snapshot.rows == 1010


PROGRAM = """
import json, resource, sys
from pathlib import Path
from dagster_project.data.datasets import materialise
from dagster_project.domain.contract import DataContract
from dagster_project.domain.workspace import Workspace
contract = DataContract(**json.loads(sys.argv[1]), file="data_contracts/orders.yaml")
made = materialise(contract, {}, Workspace(repo=Path(sys.argv[2])))
print(json.dumps([[f.name, f.outcome, f.value, f.summary] for f in made.findings]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_millions_of_bad_rows_in_bounded_memory(contract, workspace) -> None:
    """Five million bad rows take no more memory than one million, give or take the libraries' caches."""

    def peak(files: int) -> tuple[list, int]:
        for place in range(files):
            deliver(workspace.repo / f"landing{files}", f"{place}.parquet", place * 1_000_000, 1_000_000)
        columns = {**COLUMNS, "noise": {"logical_type": "number", "minimum": 0}}
        made = contract(columns, path=f"landing{files}/*.parquet", name=f"orders{files}")
        command = [sys.executable, "-c", PROGRAM, made.model_dump_json(), str(workspace.repo)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        findings, kilobytes = done.stdout.strip().split("\n")
        return json.loads(findings), int(kilobytes)

    _, one = peak(1)
    findings, five = peak(5)
    found = {name: (outcome, int(value or 0), summary) for name, outcome, value, summary in findings}
    outcome, value, summary = found["noise.minimum"]
    assert outcome == Outcome.WARNED and 2_400_000 < value < 2_600_000 and len(summary) < 200
    assert five < 1.8 * one
    assert five < 3 * 1024**2, "kilobytes"
