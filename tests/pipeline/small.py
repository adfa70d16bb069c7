"""A small repository in a folder: rides from CSV files, trips by SQL, one logistic regression."""

import json
import os
import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dagster_project.domain.build import BuildResult
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import FolderTree, Repository
from dagster_project.domain.workspace import Workspace
from tests.trees import FILES, SPEC, SPEC_FILE, edited

START = datetime(2024, 1, 1)
ONE_TRIAL = edited(SPEC, ("  - family: random_forest\n", ""), ("trials: 6", "trials: 1"))


def write_repository(folder: Path, days: int = 120, **files: str) -> Path:
    """The files of ``tests.trees`` with one trial of one family, and ``days`` days of rides; ``files`` by path."""
    for path, text in {**FILES, SPEC_FILE: ONE_TRIAL, ".gitignore": ".acts/\n", **files}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    deliver(folder, "rides", first=0, days=days)
    return folder


def deliver(folder: Path, name: str, first: int, days: int) -> Path:
    """A file of ten rides a day; long rides are late more often."""
    chance = random.Random(first)
    lines = ["ride,started,miles,delay"]
    for number in range(first * 10, (first + days) * 10):
        miles = chance.uniform(1, 30)
        delay = miles + chance.gauss(0, 6)
        lines.append(f"r{number},{START + timedelta(hours=2.4 * number):%Y-%m-%d %H:%M:%S},{miles:.2f},{delay:.2f}")
    file = folder / "landing" / "rides" / f"{name}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file


def commit(folder: Path) -> str:
    """Everything committed; the commit."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    done = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def opened(folder: Path) -> tuple[Repository, Workspace]:
    """The repository as it lies there."""
    return load_repository(FolderTree(folder)), Workspace(repo=folder)


def command(repo: Path, kind: str, name: str, result: Path) -> list[str]:
    """The build program's command line."""
    arguments = ["build", "--repo", str(repo), "--kind", kind, "--name", name, "--result", str(result)]
    return [sys.executable, "-m", "dagster_project", *arguments]


def environment(repo: Path) -> dict[str, str]:
    """A home of its own: no token, cache or setting of the developer is read or written."""
    home = repo.with_name(f"{repo.name}-home")
    home.mkdir(exist_ok=True)
    return {**os.environ, "HOME": str(home), "ACTS_REPO": str(repo), "RAY_USAGE_STATS_ENABLED": "0"}


def build(repo: Path, kind: str, name: str) -> tuple[int, BuildResult | None, str]:
    """Run the build program; exit code, result and what it said."""
    result = repo / ".acts" / "result.json"
    result.unlink(missing_ok=True)
    done = subprocess.run(
        command(repo, kind, name, result), env=environment(repo), capture_output=True, text=True, check=False
    )
    found = BuildResult.from_json(result.read_bytes()) if result.exists() else None
    return done.returncode, found, done.stdout + done.stderr


def rows_of(repo: Path, ledger: str) -> list[dict[str, Any]]:
    """A ledger's rows."""
    return [json.loads(file.read_bytes()) for file in sorted((repo / ".acts" / "ledger" / ledger).glob("*.json"))]
