"""``acts demo``: the four pull requests of the story, on all flights, as a user sees them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.workspace import Workspace

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
