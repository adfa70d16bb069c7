"""Kills, full disks and two builds at once, in real processes: nothing half-written, nothing left running."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.__main__ import main as program
from dagster_project.data.sql import Limits
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import is_complete
from dagster_project.storage.store import ArtifactStore
from tests.disks import enlarge, small_disk
from tests.pipeline.small import ONE_TRIAL, command, commit, write_repository
from tests.trees import TRIPS_SQL, edited

ROOT = Path(__file__).resolve().parents[2]
SPEC = ONE_TRIAL.split("gates:")[0] + "gates:\n  - kind: parity\n"
LONG = edited(SPEC, ("trials: 1", "trials: 300"))
PATIENCE = 120.0


@pytest.fixture
def home() -> Iterator[Path]:
    """HOME and folder for temporary files, with a name that is short enough for Ray's sockets."""
    folder = Path(tempfile.mkdtemp(prefix="acts-h-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A committed repository; nothing is built."""
    folder = write_repository(tmp_path / "repo", **{"models/tardy/spec.yaml": SPEC})
    commit(folder)
    return folder


def start(repo: Path, home: Path, *arguments: str, **more: str) -> "subprocess.Popen[str]":
    """``acts`` in a process of its own, what it says in one stream."""
    foreign = ("ACTS_", "GIT_", "RAY_", "DAGSTER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return subprocess.Popen(
        [sys.executable, "-m", "ci.main", *arguments, "--repo", str(repo)],
        cwd=ROOT,
        env={**kept, "HOME": str(home), "TMPDIR": str(home), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Exit code, and everything said."""
    said, _ = process.communicate(timeout=PATIENCE * 2)
    assert "Traceback" not in said, said
    return process.returncode, said


def alive(home: Path) -> list[int]:
    """Processes whose HOME is ours: whatever a build started."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={home}\0".encode() in place.joinpath("environ").read_bytes():
                found.append(int(place.name))
        except OSError:  # another user's, or gone
            continue
    return found


def half_written(folder: Path) -> list[Path]:
    """What a writer left aside (``.NAME.hex``). Dagster's own ``.db`` is none."""
    return [path for path in folder.rglob(".*") if path.is_file() and path.suffix != ".db"]


def builds(repo: Path) -> list[str]:
    """Finished builds in the store, each with a whole bundle."""
    store = ArtifactStore(Workspace(repo=repo).store)
    names = store.refs("builds/tardy")
    bundles = [str((store.get_ref(name) or {})["bundle"]) for name in names]
    assert all(is_complete(store, bundle) for bundle in bundles)
    return names


@pytest.mark.slow
def test_killing_acts_ends_its_build_and_the_next_one_works(repo: Path, home: Path) -> None:
    spec = repo / "models/tardy/spec.yaml"
    spec.write_text(LONG)
    process = start(repo, home, "build", "tardy")
    assert process.stdout is not None
    assert any(line.startswith("[2/") for line in process.stdout), "the search never began"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 30
    while alive(home) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not alive(home)
    assert not builds(repo) and not half_written(repo / ".acts")
    spec.write_text(SPEC)
    code, said = ended(start(repo, home, "build", "tardy"))
    assert code == 0 and len(builds(repo)) == 1, said


@pytest.mark.slow
def test_two_builds_at_once_train_once(repo: Path, home: Path) -> None:
    running = [start(repo, home, "build", "tardy") for _ in range(2)]
    ends = [ended(process) for process in running]
    assert [code for code, _ in ends] == [0, 0]
    assert sum("is building it; waiting" in said for _, said in ends) == 1, ends
    assert sum("model tardy: reused" in said for _, said in ends) == 1, ends
    assert len(builds(repo)) == 1 and not half_written(repo / ".acts") and not alive(home)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB."""
    with small_disk(tmp_path / "disk", "300k") as folder:
        yield folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "variable", "free", "says"),
    [
        ("trips", "ACTS_WAREHOUSE", 40_000, "can't be written"),
        ("trips", "ACTS_LEDGER", 0, "can't be written"),
        ("tardy", "ACTS_STORE", 4_096, "can't be written: No space left on device"),
        ("trips", "ACTS_HOME", 300_000, "Dagster's databases can't be used: database or disk is full"),
    ],
)
def test_a_full_disk_ends_with_3_and_room_mends_it(
    repo: Path, home: Path, disk: Path, what: str, variable: str, free: int, says: str
) -> None:
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, room - free)))
    code, said = ended(start(repo, home, "build", what, **{variable: str(disk)}))
    assert (code, says in said, str(disk) in said) == (3, True, True), said
    assert not half_written(disk) and not half_written(repo / ".acts") and not alive(home)
    filler.unlink()
    enlarge(disk, "30m")
    code, said = ended(start(repo, home, "build", what, **{variable: str(disk)}))
    assert code == 0, said


def test_sql_without_an_end_is_the_users_to_mend(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pairs = "(SELECT count(*) FROM rides a, rides b, rides c, rides d WHERE a.miles + b.miles > c.miles * d.miles) > 0"
    (repo / "data_contracts/trips.sql").write_text(edited(TRIPS_SQL, ("FROM rides", f"FROM rides WHERE {pairs}")))
    monkeypatch.setattr("dagster_project.data.datasets.Limits", lambda: Limits(seconds=3))
    assert program(command(repo, "dataset", "trips", repo / "result.json")[3:]) == 2
    said = capfd.readouterr().err
    assert "data_contracts/trips.sql" in said and "the SQL did not end within 3 s. Make it read or join less." in said
    assert "Traceback" not in said and not (repo / "result.json").exists()
