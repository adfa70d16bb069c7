"""What a server writes down: everything it may, nothing it may not, and never at the cost of an answer."""

import gc
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dagster_project.domain.deployment import ServedInput
from dagster_project.serving.log_queue import BEHIND, CHUNK
from dagster_project.serving.prediction_log import Logged, PredictionLog, hashed, log_inputs, log_key
from dagster_project.storage.log_frames import unpack
from dagster_project.storage.segments import framed, read_frames, seed_of
from tests.disks import enlarge, small_disk
from tests.serving.log_rows import answer, frames, logged_ids, read_segment, segments, wait_for

ROOT = Path(__file__).resolve().parents[2]
SOON = 0.02
HOUR = 3600.0


def written(folder: Path, *entries: Logged, **options: float) -> PredictionLog:
    """A log that was closed after ``entries``."""
    log = PredictionLog(folder, "server-1", HOUR, **options)  # type: ignore[arg-type]
    for entry in entries:
        log.append(entry)
    log.close()
    return log


def test_what_is_logged_is_what_was_answered(tmp_path: Path) -> None:
    entries = [answer(1, rows=2), answer(2), answer(3, rows=3, ids=None)]
    log = written(tmp_path, *entries)
    assert (log.backlog, log.dropped, log.error) == (0, 0, None)
    (frame,) = frames(tmp_path)
    assert (frame.server, frame.model, frame.place, frame.inputs) == ("server-1", "late", "live", None)
    assert frame.ids == ["r1.0", "r1.1", "r2.0", None, None, None]
    assert np.frombuffer(frame.rows, "<u4").tolist() == [2, 1, 3]
    assert [int.from_bytes(frame.first[i : i + 16], "little") for i in (0, 16, 32)] == [e.first_id for e in entries]
    assert np.frombuffer(frame.at, "<f8").tolist() == [entry.at for entry in entries]
    assert unpack(frame.outputs["label"]).tolist() == ["late"] * 6
    probabilities = unpack(frame.outputs["probabilities"])
    assert probabilities.dtype == np.float32 and probabilities.tolist() == [[0.25, 0.75]] * 6


def test_models_digests_places_and_sampled_inputs_have_frames_of_their_own(tmp_path: Path) -> None:
    sampled = {"miles": np.array([[np.nan]], np.float32), "carrier": np.array([["UA"]], object)}
    written(tmp_path, answer(1), answer(2, place="canary"), answer(3, model="other"), answer(4, inputs=sampled))
    found = frames(tmp_path)
    assert sorted((f.model, f.place, f.inputs is not None) for f in found) == [
        ("late", "canary", False),
        ("late", "live", False),
        ("late", "live", True),
        ("other", "live", False),
    ]
    (inputs,) = [frame.inputs for frame in found if frame.inputs]
    assert unpack(inputs["carrier"]).tolist() == [["UA"]] and np.isnan(unpack(inputs["miles"])).all()


def test_flushes_come_by_themselves(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, "s", SOON)
    try:
        for number in range(3):
            log.append(answer(number))
            wait_for(lambda: not log.backlog)
            assert len(logged_ids(tmp_path)) == number + 1
        assert [path.suffix for path in segments(tmp_path)] == [".open"]
    finally:
        log.close()
    assert [path.suffix for path in segments(tmp_path)] == [".log"]


def test_too_many_waiting_rows_are_dropped_counted_and_told(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, "s", HOUR, most_rows=0)
    log.append(answer(1, rows=7))
    log.append(answer(2, rows=2, place="canary"))
    assert (log.dropped, log.backlog) == (9, 0)
    log.close()
    assert sorted((f.place, f.dropped, f.rows) for f in frames(tmp_path)) == [("canary", 2, b""), ("live", 7, b"")]


def test_a_nearly_full_memory_does_not_wait_for_the_flush(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, "s", HOUR, most_rows=10)
    for number in range(6):
        log.append(answer(number))
    wait_for(lambda: not log.backlog)
    log.close()
    assert (log.dropped, len(logged_ids(tmp_path))) == (0, 6)


def test_an_answer_that_cannot_be_encoded_costs_no_other(tmp_path: Path) -> None:
    bad = [
        answer(2, outputs={"label": np.array([object()], object), "probabilities": np.zeros((1, 2), np.float32)}),
        answer(3, outputs={"label": np.array([["a"]], object), "probabilities": np.zeros((0, 2), np.float32)}),
        answer(4, rows=2, ids=["only one"]),
        answer(5, outputs={"label": np.array(["a", "b"], object), "probabilities": np.zeros((1, 2), np.float32)}),
    ]
    log = PredictionLog(tmp_path, "s", 0.3)  # what is wrong is said until the next flush
    for entry in (answer(1), *bad, answer(6)):
        log.append(entry)
    wait_for(lambda: log.error)
    assert log.error is not None and "could not be kept" in log.error
    wait_for(lambda: not log.backlog)
    log.append(answer(7))
    wait_for(lambda: not log.backlog)
    log.close()
    kept = [entry for entry in logged_ids(tmp_path) if entry is not None]
    assert (kept, log.dropped, log.error) == (["r1.0", "r6.0", "r7.0"], 5, None)
    assert sum(frame.dropped for frame in frames(tmp_path)) == 5


def test_segments_rotate_by_size_and_by_age(tmp_path: Path) -> None:
    for name, options in (("size", {"segment_bytes": 1}), ("age", {"segment_seconds": 0.0})):
        log = PredictionLog(tmp_path / name, "s", SOON, **options)  # type: ignore[arg-type]
        for number in range(3):
            log.append(answer(number))
            wait_for(lambda log=log: not log.backlog)
        log.close()
        found = segments(tmp_path / name)
        assert len(found) == 3 and all(path.suffix == ".log" for path in found)
        assert logged_ids(tmp_path / name) == ["r0.0", "r1.0", "r2.0"]
        ends = [int(path.stem[-16:], 16) + path.stat().st_size for path in found]
        assert [int(path.stem[-16:], 16) for path in found] == [0, *ends[:-1]]


def test_a_server_that_starts_again_touches_nothing_old(tmp_path: Path) -> None:
    written(tmp_path, answer(1))
    (old,) = segments(tmp_path)
    bytes_before = old.read_bytes()
    written(tmp_path, answer(2))
    assert len(segments(tmp_path)) == 2 and old.read_bytes() == bytes_before


def test_server_names_never_leave_the_folder(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path / "log", "../../etc: pässwd", SOON)
    log.append(answer(1))
    log.close()
    assert log.error is None
    assert [path.name.split(".")[0] for path in segments(tmp_path / "log")] == ["-etc-p-sswd"]
    assert frames(tmp_path / "log")[0].server == "../../etc: pässwd"


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    log = PredictionLog(tmp_path / "log", "s", SOON, most_rows=5)
    for number in range(9):
        log.append(answer(number))
    wait_for(lambda: log.error)
    assert log.error is not None and str(tmp_path / "log") in log.error
    assert (log.backlog, log.dropped) == (5, 4)
    (tmp_path / "log").unlink()
    wait_for(lambda: not log.backlog)
    wait_for(lambda: log.error is None)
    log.close()
    assert len(logged_ids(tmp_path / "log")) == 5 and sum(f.dropped for f in frames(tmp_path / "log")) == 4


def test_the_disk_is_bounded_and_nothing_old_is_deleted(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, "s", SOON, most_rows=100, segment_bytes=2_000, disk_bytes=10_000)
    number = 0
    while log.error is None and number < 1_000:
        log.append(answer(number))
        number += 1
        wait_for(lambda: not log.backlog or log.error)
    assert log.error is not None and "acts ingest makes room" in log.error
    before = logged_ids(tmp_path)
    assert before == [f"r{n}.0" for n in range(number - 1)]
    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 10_000
    for more in range(150):
        log.append(answer(number + more))
    assert (log.backlog, log.dropped) == (100, 51)
    for path in segments(tmp_path)[:-1]:
        path.unlink()
    time.sleep(1.1)  # how long a look at the folder is believed
    wait_for(lambda: not log.backlog)
    log.close()
    assert logged_ids(tmp_path)[-1] == f"r{number + 98}.0"
    assert sum(frame.dropped for frame in frames(tmp_path)) == 51


def test_what_waits_for_a_disk_that_hangs_waits_as_bytes_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, hangs, synced = threading.Event(), threading.Event(), os.fdatasync

    def hanging(file: int) -> None:
        hangs.set()
        assert answers.wait(30)
        synced(file)

    monkeypatch.setattr(os, "fdatasync", hanging)
    log = PredictionLog(tmp_path, "s", SOON)
    log.append(answer(0))
    assert hangs.wait(10)
    for number in range(1, 20_000):
        log.append(answer(number))
    assert log.backlog == 20_000
    assert sum(type(each) is Logged for each in gc.get_objects()) <= BEHIND + CHUNK
    answers.set()
    wait_for(lambda: not log.backlog)
    log.close()
    assert logged_ids(tmp_path) == [f"r{number}.0" for number in range(20_000)]


def test_both_threads_encode_and_nothing_is_lost_or_out_of_order(tmp_path: Path) -> None:
    log = PredictionLog(tmp_path, "s", 0.001)
    for number in range(60_000):
        log.append(answer(number))
    log.close()
    assert (log.backlog, log.dropped, log.error) == (0, 0, None)
    assert logged_ids(tmp_path) == [f"r{number}.0" for number in range(60_000)]


def test_close_says_what_it_could_not_write(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    log = written(tmp_path / "log", answer(1, rows=3))
    assert log.error is not None and log.error.startswith("3 rows were not written")


WRITER = """
import os, sys
from pathlib import Path
from dagster_project.serving.prediction_log import PredictionLog
from tests.serving.log_rows import answer
log = PredictionLog(Path(sys.argv[1]), "s", 0.005, segment_bytes=20_000)
number = 0
while True:
    for _ in range(50):
        log.append(answer(number, rows=1 + number % 3))
        number += 1
    while log.backlog:
        pass
    os.write(1, b"%d\\n" % number)  # everything below is on the disk
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_killed_server_loses_nothing_that_was_flushed(tmp_path: Path, seed: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.02 + 0.037 * seed)
    process.send_signal(signal.SIGKILL)
    flushed = int((process.stdout.read().split() or [b"50"])[-1])
    process.wait()
    process.stdout.close()
    expected = [f"r{n}.{row}" for n in range(flushed) for row in range(1 + n % 3)]
    found = logged_ids(tmp_path)
    assert found[: len(expected)] == expected and len(set(found)) == len(found)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    with small_disk(tmp_path / "disk", "64k") as folder:
        yield folder


@pytest.mark.slow
def test_a_full_disk_tears_no_frame_and_room_mends_it(disk: Path) -> None:
    log = PredictionLog(disk, "s", SOON, most_rows=2_000)
    number = 0
    while log.error is None and number < 20_000:
        log.append(answer(number, rows=20))
        number += 1
        wait_for(lambda: not log.backlog or log.error)
    assert log.error is not None and "No space left on device" in log.error
    assert logged_ids(disk) == [f"r{n}.{row}" for n in range(number - 1) for row in range(20)]
    for more in range(200):
        log.append(answer(number + more, rows=20))
    assert log.dropped == 20 * (200 + 1 - 100) and log.backlog == 2_000
    enlarge(disk, "10m")
    wait_for(lambda: not log.backlog)
    log.close()
    assert log.error is None and len(logged_ids(disk)) == 20 * (number + 99)
    assert [place for path in segments(disk) for place in read_segment(path).broken] == []
    assert sum(frame.dropped for frame in frames(disk)) == log.dropped


def test_frames_of_other_streams_and_forged_frames_are_none() -> None:
    seed, other = seed_of("s.1-aa"), seed_of("s.1-bb")
    whole = framed(b"one", seed) + framed(framed(b"forged", other), seed) + framed(b"three", other)
    reading = read_frames(b"x" + whole, seed, final=True)
    assert reading.payloads == (b"one", framed(b"forged", other))
    assert len(reading.broken) == 2 and reading.end == len(whole) + 1


@pytest.mark.parametrize("torn", range(1, 20))
def test_a_frame_behind_a_torn_one_is_read(torn: int) -> None:
    seed = seed_of("s.1-aa")
    reading = read_frames(framed(b"torn", seed)[:torn] + framed(b"whole", seed), seed, final=False)
    assert (reading.payloads, reading.broken) == ((b"whole",), ((0, torn),))


INPUTS = (
    ServedInput(name="tail", dtype="string", restricted=True),
    ServedInput(name="miles", dtype="float32"),
    ServedInput(name="age", dtype="float32", restricted=True),
    ServedInput(name="absent", dtype="float32"),
)


def test_restricted_columns_are_hashed_and_missing_stays_missing() -> None:
    columns = {
        "tail": np.array([["N14228"], [""], ["N14228"]], object),
        "miles": np.array([[1.5], [np.nan], [3.0]], np.float32),
        "age": np.array([[41.0], [np.nan], [7.0]], np.float32),
        "unknown": np.array([[1.0], [2.0], [3.0]], np.float32),
    }
    kept = log_inputs(columns, INPUTS, b"k" * 32)
    assert list(kept) == ["tail", "miles", "age"]
    assert kept["miles"] is columns["miles"]
    (first,), (second,), (third,) = kept["tail"].tolist()
    assert (len(first), second, first == third, first == "N14228") == (32, "", True, False)
    assert kept["age"].tolist()[1] == [""] and len({value for (value,) in kept["age"].tolist()}) == 3
    assert log_inputs(columns, INPUTS, b"j" * 32)["tail"].tolist() != kept["tail"].tolist()
    assert hashed(["N14228"], b"k" * 32) == [first]


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = log_key(tmp_path / "log")
    assert len(key) == 32 and log_key(tmp_path / "log") == key
    assert stat.S_IMODE((tmp_path / "log" / "key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["key"]
    assert log_key(tmp_path / "another") != key
