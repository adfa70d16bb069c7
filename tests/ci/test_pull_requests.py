"""``acts pr`` in real processes: what is refused early, and the way of a contract-only pull request."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.workspace import Workspace
from tests.ci.workbench import COARSE_SQL, GOOD, MODEL, SPEC, SQL, change, git, save, settled
from tests.trees import edited

TRIPS = "data_contracts/trips.yaml"
ROOT = Path(__file__).resolve().parents[2]


def acts(repo: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own, with a home of its own."""
    home = repo.with_name("home")
    home.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ACTS_", "DAGSTER", "RAY_", "GIT_"))}
    environment = {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "ci.main", *arguments, "--repo", str(repo)]
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)


def report(repo: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Workspace(repo=repo).reports / "latest" / "report.json").read_text())
    return found


def bumped(repo: Path, version: str) -> None:
    change(repo, TRIPS, (repo / TRIPS).read_text().replace("version: 1.2.0", f"version: {version}"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = settled(tmp_path / "repo", spec=GOOD)
    git(folder, "switch", "-q", "-c", "change")
    return folder


def test_unreadable_files_end_with_every_problem_and_a_report(repo: Path) -> None:
    change(repo, SPEC, edited(GOOD, ("trials: 1", "trails: 1"), ("task: binary", "task: binari")))
    done = acts(repo, "pr", "--base", "main")
    assert done.returncode == 2, done.stderr
    problems = report(repo)["problems"]
    assert len(problems) >= 2 and all(p["file"] == SPEC and p["line"] for p in problems)
    assert not (repo / ".acts" / "warehouse").exists(), "nothing was built"


def test_a_breaking_change_is_refused_before_anything_is_built(repo: Path) -> None:
    change(repo, TRIPS, (repo / TRIPS).read_text().replace("- name: miles", "- name: distance"))
    change(repo, SQL, edited(COARSE_SQL, ("good' AS grade, miles", "good' AS grade, miles AS distance")))
    save(repo, "rename")
    done = acts(repo, "pr", "--base", "main")
    assert done.returncode == 1, done.stderr
    assert "asks for a major version" in done.stdout and MODEL in done.stdout
    assert report(repo)["plan"]["reached"] == {"trips": [MODEL]}
    assert not (repo / ".acts" / "warehouse").exists(), "nothing was built"


def test_a_change_of_wording_runs_nothing(repo: Path) -> None:
    change(repo, SPEC, edited(GOOD, ("Will the ride be late?", "Is it late?")))
    save(repo, "wording")
    plan = json.loads(acts(repo, "plan", "--base", "main", "--json").stdout)
    assert plan["steps"] == [] and [c["what"] for c in plan["changes"]]


@pytest.mark.slow
def test_contract_only_pull_requests(repo: Path) -> None:
    """The rows change, the model reads them or not: one dataset verdict, and the model only where it must."""
    git(repo, "switch", "-q", "main")
    assert acts(repo, "build", MODEL).returncode == 0
    git(repo, "switch", "-q", "change")
    bumped(repo, "1.3.0")
    rule = "    quality:\n      - {type: library, metric: rowCount, mustBeGreaterThan: 100}\n"
    change(repo, TRIPS, (repo / TRIPS).read_text().replace("    properties:\n", rule + "    properties:\n", 1))
    save(repo, "at least a hundred rows")
    done = acts(repo, "pr", "--base", "main")
    found = report(repo)
    steps = [(step["action"], step["name"]) for step in found["plan"]["steps"]]
    assert steps == [("build", "trips"), ("judge", "trips")], "what the model reads stayed as it was"
    assert done.returncode == 0, done.stdout[-3000:]
    (verdict,) = found["verdicts"]
    assert verdict["subject"] == {"kind": "dataset", "name": "trips"} and verdict["outcome"] == "passed"
    assert any(f["source"] == "deepchecks" and f["suite"] == "data_integrity" for f in verdict["findings"])
    assert (Workspace(repo=repo).reports / "latest" / "suites" / "dataset-trips" / "data_integrity.html").exists()

    change(repo, SQL, edited(COARSE_SQL, ("miles / 10", "miles / 4")))
    save(repo, "finer seats")
    done = acts(repo, "pr", "--base", "main")
    found = report(repo)
    assert ("build", MODEL) in [(step["action"], step["name"]) for step in found["plan"]["steps"]]
    verdicts = {v["subject"]["name"]: v for v in found["verdicts"]}
    assert verdicts.keys() == {"trips", MODEL}
    moved = verdicts["trips"]["facts"]["difference"]
    assert moved["rows_before"] == moved["rows_after"] == 4000 and 0 < moved["added"] == moved["removed"] < 4000
    assert [column["name"] for column in moved["columns"]] == ["seats"]
    suites = {f["suite"] for f in verdicts["trips"]["findings"] if f["source"] == "deepchecks"}
    assert suites == {"data_integrity", "train_test_validation"}, "against the base branch's snapshot too"
    assert done.returncode == 0, done.stdout[-3000:]

    again = acts(repo, "reproduce", MODEL)
    assert again.returncode == 2 and "no champion lock" in again.stderr
    assert acts(repo, "promote", MODEL).returncode == 0
    save(repo, "promote")
    again = acts(repo, "reproduce", MODEL, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["outcome"] == "bit_for_bit"
