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
from dagster_project.training.distributed import LOSSES

from .conftest import command, run_job
from .losing import WORKERS, workers
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


@pytest.mark.parametrize("kills", [1, LOSSES + 1])
def test_a_worker_that_dies_too_often_fails_its_trial_alone(
    request_for,
    environment,
    session,  # noqa: F811
    tmp_path,
    kills,
):
    doomed = {"family": "random_forest", "search": {"n_estimators": 1500}}  # grows for longer than it lives
    quick = {"family": "logistic_regression"}
    request = request_for("binary", candidates=[quick, quick, doomed], search={"trials": 3})
    with start(command(request), environment, session) as process:
        for _ in range(kills):
            kill_one(session)
        out, _ = process.communicate(timeout=200)
    assert process.returncode == 0, out
    failed = [trial for trial in trials_of(request, tmp_path / "bundle") if trial["status"] == "failed"]
    assert len(failed) == (kills > LOSSES), failed
    assert all("died" in trial["error"] for trial in failed)
    assert "Traceback" not in out


def kill_one(session: Path) -> None:  # noqa: F811
    """Kill a worker that trains, and wait until it is gone."""
    deadline = time.monotonic() + 60
    while not (busy := workers(session, WORKERS[1])) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(busy[0], signal.SIGKILL)
    while busy[0] in workers(session, WORKERS[1]):
        time.sleep(0.05)
