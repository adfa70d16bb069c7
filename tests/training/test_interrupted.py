"""However the program ends, no Ray process, no folder of its session and no half bundle is left."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from dagster_project.training.watcher import session_processes

from .conftest import command, run_job

pytestmark = pytest.mark.slow

SLOW_SEARCH = {"families": ["random_forest"], "search": {"trials": 200}}
CHILD = "import subprocess, sys; subprocess.run(sys.argv[1:])"


@pytest.fixture
def session(tmp_path_factory):
    """A folder for temporary files whose name is short enough for Ray's sockets, so that ours are found in it."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="acts-t-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def start(words: list[str], environment: dict[str, str], session: Path) -> "subprocess.Popen[str]":
    """A training program whose workers are busy. Use it as a context, which closes its pipe."""
    process = subprocess.Popen(
        words,
        env={**environment, "TMPDIR": str(session)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # whoever runs the tests in the background has it ignored, and children inherit that
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("[2/"):  # two trials ended: workers are busy
            return process
    raise AssertionError("the search never began")


def wait_until_gone(session: Path, seconds: float = 30) -> None:
    """Until no process of the session and nothing in its folder is left."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not session_processes(str(session), {os.getpid()}) and not list(session.iterdir()):
            return
        time.sleep(0.2)
    left = session_processes(str(session), {os.getpid()})
    raise AssertionError(f"left after {seconds} s: processes {left}, files {list(session.iterdir())}")


@pytest.mark.parametrize("family", ["mlp", "ridge"])
def test_a_build_that_ends_well_leaves_nothing(request_for, environment, session, family):
    request = request_for("regression", families=[family], search={"trials": 1})
    run = run_job(request, {**environment, "TMPDIR": str(session)})
    assert run.returncode == 0, run.stderr
    wait_until_gone(session)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing(request_for, environment, session, number):
    request = request_for("binary", **SLOW_SEARCH)
    with start(command(request), environment, session) as process:
        assert session_processes(str(session), {os.getpid()})
        process.send_signal(number)
        code = process.wait(timeout=60)
    assert code == (130 if number == signal.SIGINT else -number)
    wait_until_gone(session)
    assert not Path(request.result).exists() and not Path(request.store).exists()


def test_killing_who_started_it_leaves_nothing(request_for, environment, session):
    request = request_for("binary", **SLOW_SEARCH)
    with start([sys.executable, "-c", CHILD, *command(request)], environment, session) as parent:
        parent.kill()
        parent.wait(timeout=60)
    wait_until_gone(session)
    assert not Path(request.result).exists() and not Path(request.store).exists()
