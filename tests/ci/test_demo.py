"""``acts demo``: the four pull requests of the story, a month of the year, and headlines, as a user sees them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

ENDS = ["passed", "passed", "refused", "failed"]


def reports(demo: Path) -> list[dict[str, Any]]:
    """Every report of the demo, oldest first."""
    folders = sorted(path for path in Workspace(repo=demo).reports.iterdir() if path.name != "latest")
    return [json.loads((folder / "report.json").read_text()) for folder in folders]


def outcome(report: dict[str, Any]) -> str:
    return "refused" if not report["verdicts"] else str(report["verdicts"][0]["outcome"])


def test_the_story_ends_as_it_is_told(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ACTS_", "DAGSTER_"))}
    command = [sys.executable, "-m", "ci.main", "demo", "--repo", str(tmp_path)]
    environment |= {"HOME": str(tmp_path / "home")}
    played = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told = played.stdout + played.stderr
    assert played.returncode == 0 and "Traceback" not in told, told[-6000:]
    demo = tmp_path / ".acts" / "demo"
    found = reports(demo)
    assert [outcome(report) for report in found] == ENDS
    first, better, breaking, recent = found
    assert not first["verdicts"][0]["comparisons"] and first["proposals"]
    gains = [c for c in better["verdicts"][0]["comparisons"] if c["rows"] == "holdout"]
    assert gains and all(gain["low"] > 0 for gain in gains), gains
    assert not breaking["builds"] and "miles" in json.dumps(breaking["plan"])
    assert not recent["proposals"]
    log = subprocess.run(["git", "log", "--format=%s", "main"], cwd=demo, capture_output=True, text=True, check=True)
    assert log.stdout.split("\n").count("promote late_arrival") == 2
    page = demo / ".acts" / "reports" / "latest" / "report.html"
    assert str(page) in told and "make ui" in told and page.is_file()


def test_headlines_get_a_model_that_answers(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ACTS_", "DAGSTER_"))}
    command = [sys.executable, "-m", "ci.main", "demo", "--text", "--repo", str(tmp_path)]
    environment |= {"HOME": str(tmp_path / "home")}
    played = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told = played.stdout + played.stderr
    assert played.returncode == 0 and "Traceback" not in told, told[-6000:]
    (report,) = reports(tmp_path / ".acts" / "demo-text")
    accuracy = next(m for m in report["verdicts"][0]["measurements"] if m["metric"] == "accuracy" and not m["slice"])
    assert accuracy["low"] > 0.5 and accuracy["count"] > 9_000
    assert "goodhealth" in told.split("It passed")[1], "what it answers is shown"


def test_a_month_of_the_year_is_answered_watched_and_challenged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """April: the first experiment is due, what passes is merged, and the server follows."""
    from ci.demo.year import play_year
    from dagster_project.domain.loading import load_repository
    from dagster_project.domain.repository import FolderTree
    from dagster_project.factories.instance import open_instance
    from dagster_project.factories.monitoring import part_key
    from dagster_project.monitoring.tables import answers, truth
    from dagster_project.monitoring.watched import Watched

    for name in [name for name in os.environ if name.startswith(("ACTS_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    home = tmp_path / "year"
    play_year(home, range(4, 5))
    known, workspace = load_repository(FolderTree(home)), Workspace(repo=home)
    spec = known.specs["late_arrival"]
    watched = Watched(spec, known.contracts["departures"], known.locks["late_arrival"], workspace)
    rows = answers(watched).collect()
    assert rows.height == 28_353 and rows["inputs"].null_count() == 0
    assert rows["row_id"].n_unique() == rows.height and 0.9 < truth(watched).collect().height / rows.height < 0.99
    (experiment,) = Ledger(workspace.ledger, "experiments").rows()
    assert experiment["ending"] in ("opened", "refused") and experiment["now"].startswith("2013-05-01")
    looks = Ledger(workspace.ledger, "performance").rows()
    assert [look["now"][:10] for look in looks] == ["2013-05-01"]
    assert sum(window["matured"] for window in looks[0]["windows"]) >= 3
    with open_instance(workspace) as instance:
        weekly = instance.fetch_materializations(part_key("late_arrival", "labels"), limit=100).records
        assert len(weekly) >= 5
    assert not spec.experiment.on and not spec.monitoring.drift.on, "whoever opens Dagster finds it as it was"
