"""From segments to the table exactly once: whoever dies, whoever is at it too, whatever is torn."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable

from dagster_project.data.tables import ConflictError
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.prediction import Ingested
from dagster_project.monitoring import ingest as module
from dagster_project.monitoring.append_table import AppendTable
from dagster_project.monitoring.ingest import ingest
from dagster_project.monitoring.log_table import answers, log_table, table_uri
from dagster_project.serving.prediction_log import Logged, PredictionLog
from dagster_project.storage.segments import MAGIC
from tests.disks import enlarge, small_disk
from tests.serving.log_rows import DIGEST, answer, segments, wait_for

ROOT = Path(__file__).resolve().parents[2]
SOON = 0.005


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def warehouse(tmp_path: Path) -> str:
    return str(tmp_path / "warehouse")


def serve(folder: Path, *entries: Logged, server: str = "s", close: bool = True, **options: int) -> PredictionLog:
    """A log with one frame for each entry."""
    log = PredictionLog(folder, server, SOON, **options)  # type: ignore[arg-type]
    for entry in entries:
        log.append(entry)
        wait_for(lambda: not log.backlog)
    if close:
        log.close()
    return log


def ids(warehouse: str) -> list[str]:
    """The contract's ids in the table, sorted."""
    return sorted(answers(warehouse).select("id").collect()["id"].to_list())


def test_rows_become_columns(folder: Path, warehouse: str) -> None:
    at = datetime(2026, 3, 31, 23, 59, 59, 250_000, UTC)
    sampled = {
        "miles": np.array([[1.5], [np.nan]], np.float32),
        "carrier": np.array([["UA"], ['ü"']], object),
        "pixels": np.array([[1, 2], [3, 4]], np.float32),
    }
    first = answer(1, rows=2, at=at.timestamp(), seconds=0.25, inputs=sampled)
    regression = answer(2, model="delay", place="canary", outputs={"value": np.array([[2.5]], np.float32)}, ids=None)
    truth = answer(3, at=at.timestamp() + 60, outputs={"label": np.array([[True]]), "probabilities": np.eye(1, 2)})
    serve(folder, first, regression, truth, server="s-1")
    done = ingest(folder, warehouse)
    assert (done.rows, done.segments, done.dropped, done.broken) == (4, 1, 0, 0) and done.lag_seconds > 3600
    rows = pl.read_delta(table_uri(warehouse)).sort("row_id").rows(named=True)
    assert len({row["row_id"] for row in rows}) == 4
    assert rows[0] == {
        "row_id": f"{first.first_id:032x}"[:8] + rows[0]["row_id"][8:],
        "at": at, "time": None, "model": "late", "onnx": DIGEST, "place": "live", "server": "s-1", "id": "r1.0",
        "label": "late",
        "inputs": '{"miles":1.5,"carrier":"UA","pixels":[1.0,2.0]}', "seconds": 0.25, "value": None,
        "probabilities": [0.25, 0.75], "dropped": None, "day": at.date(),
    }  # fmt: skip
    assert int(rows[1]["row_id"].replace("-", ""), 16) == first.first_id + 1
    assert json.loads(rows[1]["inputs"]) == {"miles": None, "carrier": 'ü"', "pixels": [3.0, 4.0]}
    assert [rows[2][name] for name in ("model", "place", "value", "label", "id")] == [
        "delay",
        "canary",
        2.5,
        None,
        None,
    ]
    assert (rows[3]["label"], rows[3]["inputs"], str(rows[3]["day"])) == ("true", None, "2026-04-01")
    days = {path.parent.name for path in Path(table_uri(warehouse)).rglob("*.parquet")}
    assert {"day=2026-03-31", "day=2026-04-01"} <= days


def test_what_came_in_does_not_come_again(folder: Path, warehouse: str) -> None:
    assert ingest(folder, warehouse) == Ingested()
    log = serve(folder, answer(1), close=False)
    assert ingest(folder, warehouse).rows == 1
    assert ingest(folder, warehouse) == Ingested()
    assert [path.suffix for path in segments(folder)] == [".open"]
    log.append(answer(2))
    log.close()
    assert [path.suffix for path in segments(folder)] == [".log"]
    assert ingest(folder, warehouse).rows == 1
    assert segments(folder) == [] and ids(warehouse) == ["r1.0", "r2.0"]


def test_the_table_remembers_across_checkpoints(folder: Path, warehouse: str) -> None:
    log = serve(folder, answer(1), close=False)
    ingest(folder, warehouse)
    DeltaTable(table_uri(warehouse)).create_checkpoint()
    log.close()
    assert ingest(folder, warehouse).rows == 0 and ids(warehouse) == ["r1.0"]


def test_many_segments_and_small_batches_come_in_order(folder: Path, warehouse: str) -> None:
    for server in ("a", "b"):
        serve(folder, *(answer(n, rows=3) for n in range(8)), server=server, segment_bytes=700)
    assert len(segments(folder)) > 4
    done = ingest(folder, warehouse, batch_bytes=100)
    assert done.rows == 48 and done.segments > 4 and not segments(folder)
    assert set(Counter(ids(warehouse)).values()) == {2}


def test_dropped_rows_are_shown_and_are_no_answers(folder: Path, warehouse: str) -> None:
    log = PredictionLog(folder, "s", SOON, most_rows=4)
    log.append(answer(1, rows=3))
    log.append(answer(2, rows=9))
    log.close()
    done = ingest(folder, warehouse)
    assert (done.rows, done.dropped) == (3, 9)
    assert answers(warehouse).collect().height == 3
    told = pl.read_delta(table_uri(warehouse)).filter(pl.col("row_id").is_null()).rows(named=True)
    assert [(row["dropped"], row["model"], row["place"], row["server"]) for row in told] == [(9, "late", "live", "s")]


@pytest.mark.parametrize("step", ["before the commit", "after the commit"])
def test_an_ingester_that_dies_between_two_steps(
    folder: Path, warehouse: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(folder, answer(1), answer(2))
    with monkeypatch.context() as patched:
        if step == "before the commit":
            patched.setattr(AppendTable, "_commit", dies)
        else:
            patched.setattr(module, "forget", dies)
        with pytest.raises(KeyboardInterrupt):
            ingest(folder, warehouse)
    assert len(segments(folder)) == 1
    assert ingest(folder, warehouse).rows == (2 if step == "before the commit" else 0)
    assert ids(warehouse) == ["r1.0", "r2.0"] and segments(folder) == []


def dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_who_comes_second_takes_nothing_and_leaves_nothing(folder: Path, warehouse: str) -> None:
    serve(folder, answer(1))
    ingest(folder, warehouse)
    serve(folder, answer(2))
    late, rows = log_table(warehouse), pl.read_delta(table_uri(warehouse))
    ingest(folder, warehouse)
    before = sorted(Path(table_uri(warehouse)).rglob("*.parquet"))
    with pytest.raises(ConflictError):
        late.commit(rows, {"s": 1})
    assert sorted(Path(table_uri(warehouse)).rglob("*.parquet")) == before and ids(warehouse) == ["r1.0", "r2.0"]


def test_a_commit_whose_answer_was_lost_is_known_again(
    folder: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Object storage may write and lose the answer; the repetition then meets its own commit."""
    serve(folder, answer(1))
    commit = AppendTable._commit

    def twice(self: AppendTable, *arguments: object) -> None:
        commit(self, *arguments)  # type: ignore[arg-type]
        raise ConflictError("already exists")

    monkeypatch.setattr(AppendTable, "_commit", twice)
    assert ingest(folder, warehouse).rows == 1
    assert ids(warehouse) == ["r1.0"] and segments(folder) == []


def test_a_torn_end_waits_while_its_writer_lives_and_is_nothing_once_it_is_dead(folder: Path, warehouse: str) -> None:
    log = serve(folder, answer(1), close=False)
    (path,) = segments(folder)
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole[:-5])
    assert ingest(folder, warehouse) == ingest(folder, warehouse).model_copy(update={"rows": 1, "segments": 1,
        "lag_seconds": ingest(folder, warehouse).lag_seconds}) or ids(warehouse) == ["r1.0"]  # fmt: skip
    assert path.exists()
    log.close()
    done = ingest(folder, warehouse)
    assert (done.rows, done.broken, segments(folder), ids(warehouse)) == (0, 0, [], ["r1.0"])


def frame_starts(data: bytes) -> list[int]:
    """Where frames begin; for files without the magic in a payload."""
    found, position = [], data.find(MAGIC)
    while position >= 0:
        found.append(position)
        position = data.find(MAGIC, position + 1)
    return found


@pytest.mark.parametrize("where", ["payload", "length", "magic", "header checksum", "inserted", "cut out"])
@pytest.mark.parametrize("final", [True, False])
def test_a_damaged_frame_costs_no_other(folder: Path, warehouse: str, where: str, final: bool) -> None:
    log = serve(folder, *(answer(n) for n in range(5)), close=final)
    (path,) = segments(folder)
    data, start = path.read_bytes(), frame_starts(path.read_bytes())[2]
    at = {"payload": 40, "length": 5, "magic": 1, "header checksum": 13}.get(where, 0)
    changed = bytes([data[start + at] ^ 0x55])
    spoiled = {
        "inserted": data[:start] + b"\0" * 100 + data[start:],
        "cut out": data[:start] + data[start + 30 :],
    }.get(where, data[: start + at] + changed + data[start + at + 1 :])
    path.write_bytes(spoiled)
    done = ingest(folder, warehouse)
    kept = [f"r{n}.0" for n in range(5) if n != 2 or where == "inserted"]
    assert (ids(warehouse), done.broken) == (kept, 1)
    assert done.broken_bytes == {"inserted": 100, "cut out": len(data) // 5 - 30}.get(where, len(data) // 5)
    log.close()
    again = ingest(folder, warehouse)
    assert (again.rows, again.broken, segments(folder)) == (0, 0, [])


def test_a_damaged_last_frame_is_counted_once_nobody_writes(folder: Path, warehouse: str) -> None:
    log = serve(folder, answer(1), answer(2), close=False)
    (path,) = segments(folder)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    done = ingest(folder, warehouse)
    assert (done.rows, done.broken) == (1, 0)
    log.close()
    done = ingest(folder, warehouse)
    assert (done.rows, done.broken, segments(folder)) == (0, 1, [])


def test_a_segment_of_another_version_is_left_alone(
    folder: Path, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(folder, answer(1))
    monkeypatch.setattr("dagster_project.storage.log_frames.FORMAT", 2)
    with pytest.raises(MachineryError, match="frames of format 1; this version reads 2"):
        ingest(folder, warehouse)
    assert len(segments(folder)) == 1


def test_other_files_in_the_folder_are_let_be(folder: Path, warehouse: str) -> None:
    serve(folder, answer(1))
    for name in ("key", "notes.txt", "a.b.log", "half.1-a.0000.new"):
        (folder / name).write_text("mine")
    assert ingest(folder, warehouse).rows == 1
    assert {path.name for path in folder.iterdir()} == {"key", "notes.txt", "a.b.log", "half.1-a.0000.new"}


SERVE = """
import os, sys
from pathlib import Path
from dagster_project.serving.prediction_log import PredictionLog
from tests.serving.log_rows import answer
folder, start = Path(sys.argv[1]), int(sys.argv[2])
log = PredictionLog(folder, "s", 0.003, segment_bytes=4_000)
number = start
while True:
    for _ in range(10):
        log.append(answer(number, rows=1 + number % 3))
        number += 1
    while log.backlog:
        pass
    os.write(1, b"%d\\n" % number)  # everything below is on the disk
"""
INGEST = """
import sys
from pathlib import Path
from dagster_project.monitoring.ingest import ingest
ingest(Path(sys.argv[1]), sys.argv[2])  # with everything imported, the kill hits the work
print("ready", flush=True)
for line in sys.stdin:
    while True:
        ingest(Path(sys.argv[1]), sys.argv[2], batch_bytes=3_000)
"""


def start(code: str, *arguments: str) -> "subprocess.Popen[bytes]":
    """A program of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def kill(process: "subprocess.Popen[bytes]") -> list[bytes]:
    """kill -9; the whole lines that it said."""
    process.send_signal(signal.SIGKILL)
    said, _ = process.communicate()
    return said.split(b"\n")[:-1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_whoever_is_killed_every_flushed_row_is_there_once(folder: Path, warehouse: str, seed: int) -> None:
    chance = random.Random(seed)
    flushed: list[tuple[int, int]] = []
    for life in range(6):
        first = life * 1_000_000
        ingesters = [start(INGEST, str(folder), warehouse) for _ in range(2)]
        for process in ingesters:
            assert process.stdin and process.stdout and process.stdout.readline() == b"ready\n"
        server = start(SERVE, str(folder), str(first))
        assert server.stdout is not None
        said = [server.stdout.readline().strip()]
        for process in ingesters:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
        for process in chance.sample([server, *ingesters], 3):
            time.sleep(chance.uniform(0.0, 0.4))
            lines = kill(process)
            said += lines if process is server else []
        flushed.append((first, int(said[-1])))
    ingest(folder, warehouse)
    assert segments(folder) == []
    counts = Counter(ids(warehouse))
    expected = {f"r{n}.{row}" for first, end in flushed for n in range(first, end) for row in range(1 + n % 3)}
    assert set(counts.values()) == {1} and expected <= counts.keys() and len(expected) > 300
    row_ids = answers(warehouse).select("row_id").collect()["row_id"]
    assert row_ids.n_unique() == len(row_ids)


@pytest.mark.slow
def test_three_ingesters_at_once_take_each_row_once(folder: Path, warehouse: str) -> None:
    running = [start(INGEST, str(folder), warehouse) for _ in range(3)]
    for process in running:
        assert process.stdin and process.stdout and process.stdout.readline() == b"ready\n"
    logs = [serve(folder, server=f"s{n}", close=False, segment_bytes=3_000) for n in range(2)]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for number in range(400):
        logs[number % 2].append(answer(number))
        time.sleep(0.005)
    for log in logs:
        log.close()
    wait_for(lambda: not segments(folder), 60)
    assert [process.poll() for process in running] == [None] * 3
    for process in running:
        kill(process)
    assert ids(warehouse) == sorted(f"r{n}.0" for n in range(400))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 kB."""
    with small_disk(tmp_path / "disk", "100k") as folder:
        yield folder


@pytest.mark.slow
def test_a_full_disk_under_the_table_loses_nothing(folder: Path, disk: Path) -> None:
    serve(folder, *(answer(n, rows=500) for n in range(40)), segment_bytes=20_000)
    with pytest.raises(MachineryError, match="can't be written"):
        ingest(folder, str(disk), batch_bytes=30_000)
    assert segments(folder)
    enlarge(disk, "50m")
    ingest(folder, str(disk))
    assert ids(str(disk)) == sorted(f"r{n}.{row}" for n in range(40) for row in range(500))
    assert segments(folder) == []
