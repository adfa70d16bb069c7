"""A real training program, one of whose workers is killed in the middle of an epoch."""

import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.training.checkpoints import trial_folder
from dagster_project.training.watcher import session_processes

from .conftest import command, make_request

WORKERS = {1: b"ray::_Inner.train", 2: b"ray::RayTrainWorker"}  # what Ray calls the processes that train
TIMES = {1: 12, 2: 3}  # the table's rows: two processes wait for one another at each step
SLOW = {"family": "mlp", "search": {"hidden": "64", "batch_size": 4, "epochs": 5}}  # about a second an epoch


@dataclass(frozen=True)
class Told:
    """What the program said and left. ``found``: epochs that were done when a trial went on, each time it did."""

    code: int
    lines: str
    found: tuple[int, ...]
    result: TrainingResult | None
    seconds: float


def slow_request(folder: Path, table: pl.DataFrame, processes: int, least: int | None = None) -> BuildRequest:
    """One perceptron on enough rows for an epoch to take seconds; its states are below ``folder``."""
    rows = pl.concat([table] * TIMES[processes])
    compute: dict[str, Any] = {"processes_per_trial": processes, "least_processes": least}
    request = make_request(folder, rows, "binary", candidates=[SLOW], compute=compute)
    return request.model_copy(update={"checkpoints": str(folder / "checkpoints")})


def states(request: BuildRequest) -> list[int]:
    """Epochs whose states the only trial has left so far."""
    assert request.checkpoints is not None
    folder = Path(trial_folder(f"{request.checkpoints}/states", request.build_key, 0))
    return sorted(int(path.stem.removeprefix("epoch-")) for path in folder.glob("epoch-*.pt"))


def train(request: BuildRequest, environment: dict[str, str], processes: int, kill_after: int | None = None) -> Told:
    """Run the program to its end; once the epoch ``kill_after`` is over, kill -9 a worker amid the next one."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="acts-t-") as session:  # a short name: Ray's sockets lie below it
        program = subprocess.Popen(
            command(request),
            env={**environment, "TMPDIR": session},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            if kill_after is not None:
                kill_amid(request, Path(session), processes, kill_after, program)
            lines, _ = program.communicate(timeout=280)
        finally:
            program.kill()
    found = tuple(int(number) for number in re.findall(r"goes on after step (\d+)", lines))
    path = Path(request.result)
    result = TrainingResult.from_json(path.read_bytes()) if path.exists() else None
    return Told(program.returncode, lines, found, result, time.monotonic() - begin)


def kill_amid(
    request: BuildRequest, session: Path, processes: int, epoch: int, program: "subprocess.Popen[str]"
) -> None:
    """Kill a worker when the epoch after ``epoch`` has begun; its state must not be there yet."""
    seen: dict[int, float] = {}
    while epoch not in seen:
        assert program.poll() is None, program.communicate()[0]
        for number in states(request):
            seen.setdefault(number, time.monotonic())
        time.sleep(0.02)
    time.sleep(0.3 * (seen[epoch] - seen[epoch - 1]))  # into the next one, which takes about as long
    victims = workers(session, WORKERS[processes])
    assert len(victims) >= processes, victims
    os.kill(victims[-1], signal.SIGKILL)
    assert max(states(request)) == epoch, "the kill came too late"


def workers(session: Path, name: bytes) -> list[int]:
    """Ids of the session's processes that train."""
    found = []
    for pid in session_processes(str(session), {os.getpid()}):
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if name in title:
            found.append(pid)
    return found
