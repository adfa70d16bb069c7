"""``acts experiment``: what is due and why not, and once the whole way in real processes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ci.git import GitTree, main_tip
from ci.main import main
from dagster_project.domain.experimenting import DRIFT, LEDGER
from dagster_project.domain.loading import load_repository
from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.experiments import is_due
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.ledger import Ledger
from tests.ci.experimenting.conftest import NOW, on_main
from tests.ci.workbench import GOOD, MODEL, SPEC, git
from tests.pipeline.small import deliver
from tests.trees import edited

ROOT = Path(__file__).resolve().parents[3]
ASKED = "experiment: {on: true, new_rows: 100, drift: true, pause: P1D}"
WATCHED = edited(GOOD, ("task: binary\n", f"task: binary\nmonitoring: {{drift: {{on: true}}}}\n{ASKED}\n"))
DAY_ONE = "2026-03-04"


def answer(repo: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What a dry run says of the one model."""
    capsys.readouterr()
    assert main(["experiment", "--dry-run", "--json", "--repo", str(repo), *arguments]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["experiments"] == []
    (look,) = document["looks"]
    return dict(look)


def test_what_is_due_is_said_with_its_reason_and_else_why_not(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    on_main(repo, {SPEC: WATCHED})
    assert answer(repo, capsys)["words"] == "no cause arose: 0 rows are new, 100 are asked for"
    deliver(repo, "more", first=400, days=10)
    assert answer(repo, capsys)["due"]["reasons"] == ["100 newly labelled rows, 100 are asked for"]
    alarm = {"model": MODEL, "now": NOW.isoformat(), "alarm": True, "summary": "miles have drifted"}
    Ledger(Workspace(repo=repo).ledger, DRIFT).append(alarm)
    assert answer(repo, capsys, "--now", "2026-03-05")["due"]["causes"] == ["drift", "new_rows"]
    assert answer(repo, capsys, "--now", DAY_ONE)["due"]["causes"] == ["new_rows"], "before the alarm"
    known = load_repository(GitTree(repo, "main"))
    spec = known.specs[MODEL]
    watched = Watched(spec, known.contracts[spec.contract.name], known.locks[MODEL], Workspace(repo=repo))
    asked = is_due(watched, NOW)
    assert asked and asked.causes == ("drift", "new_rows"), "what Dagster's sensor asks is the same question"
    assert is_due(replace(watched, lock=None), NOW) is None
    assert answer(repo, capsys, MODEL, "--cause", "manual")["due"]["causes"] == ["manual"]


def test_nothing_is_asked_of_models_whose_experiments_are_off(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "--json", "--repo", str(repo)]) == 0
    assert json.loads(capsys.readouterr().out)["looks"] == []
    assert main(["experiment", "tardi", "--repo", str(repo)]) == 2
    assert "there is no model 'tardi'. There is: tardy." in capsys.readouterr().err


def acts(repo: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    home = repo.with_name("home")
    home.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ACTS_", "DAGSTER", "RAY_", "GIT_"))}
    command = [sys.executable, "-m", "ci.main", "experiment", *arguments, "--repo", str(repo)]
    environment = {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_whole_way_in_real_processes(repo: Path) -> None:
    """New rows land, a challenger is built in a Dagster run, and waits for people; the pause is respected."""
    before = on_main(repo, {SPEC: edited(WATCHED, ("pause: P1D", "pause: P1D, trials: 2"))})
    deliver(repo, "more", first=400, days=40)
    done = acts(repo, "--now", DAY_ONE)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "due: 400 newly labelled rows" in done.stdout and "opened in" in done.stdout
    (row,) = Ledger(Workspace(repo=repo).ledger, LEDGER).rows()
    vouched = Ledger(Workspace(repo=repo).ledger, "provenance").rows()[-1]
    assert (vouched["commit"], vouched["dirty"], vouched["launcher"]) == (row["head"], False, "experiment")
    assert main_tip(repo) == before and git(repo, "rev-parse", f"experiment/{MODEL}") == row["commit"]
    deliver(repo, "most", first=440, days=40)
    paused = json.loads(acts(repo, "--now", "2026-03-04T23:59:00", "--json").stdout)
    assert paused["experiments"] == [] and "the pause lasts until 2026-03-05 00:00" in paused["looks"][0]["words"]
    assert git(repo, "rev-parse", f"experiment/{MODEL}") == row["commit"]
