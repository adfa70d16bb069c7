"""A search that its time budget ends, and one whose worker dies."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.bundle import TRIALS
from dagster_project.storage.bundles import fetch_bundle
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.watcher import session_processes

from .conftest import run_job
from .test_interrupted import session, start  # noqa: F401 a fixture

pytestmark = pytest.mark.slow

# more than any machine trains in the time
LONG = {"family": "mlp", "search": {"epochs": 50, "batch_size": 64}}
MANY = {"candidates": [LONG], "search": {"trials": 1000, "time_budget": "PT20S", "scheduler": "none"}}


def trials_of(request: BuildRequest, folder: Path) -> list[dict]:
    result = TrainingResult.from_json(Path(request.result).read_bytes())
    fetch_bundle(ArtifactStore(request.store), result.bundle, folder)
    trials: list[dict] = json.loads((folder / TRIALS).read_text())
    return trials


def test_the_best_within_the_time_budget_stands(request_for, environment, tmp_path):
    request = request_for("binary", **MANY)
    run = run_job(request, environment)
    assert run.returncode == 0, run.stderr
    trials = trials_of(request, tmp_path / "bundle")
    assert 2 <= len(trials) < 1000
    assert TrainingResult.from_json(Path(request.result).read_bytes()).seconds["search"] < 60


def test_no_trial_within_the_time_budget_is_said(request_for, environment):
    request = request_for("binary", families=["random_forest"], search={"trials": 2, "time_budget": "PT0.05S"})
    run = run_job(request, environment)
    assert run.returncode == 1, run.stderr
    assert "Raise search.time_budget" in run.stderr
    assert not Path(request.result).exists()


def test_a_dead_worker_fails_its_trial_alone(request_for, environment, session, tmp_path):  # noqa: F811
    from .conftest import command

    slow = {"family": "mlp", "search": {"epochs": 150, "batch_size": 64}}  # killed within a trial, not between two
    request = request_for("binary", candidates=[slow], search={"trials": 6})
    with start(command(request), environment, session) as process:
        deadline = time.monotonic() + 30
        while not (workers := fitting(session)) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(workers[0], signal.SIGKILL)
        out, _ = process.communicate(timeout=200)
    assert process.returncode == 0, out
    failed = [trial for trial in trials_of(request, tmp_path / "bundle") if trial["status"] == "failed"]
    assert len(failed) == 1 and "died" in failed[0]["error"], failed
    assert "Traceback" not in out


def fitting(session: Path) -> list[int]:  # noqa: F811
    """Ids of the workers that train."""
    found = []
    for pid in session_processes(str(session), {os.getpid()}):
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"FitTrial" in title:
            found.append(pid)
    return found
