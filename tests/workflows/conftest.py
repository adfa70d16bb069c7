"""A repository whose workflow a test writes, and its clone."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.acting import Acted, act

PATH = ".github/workflows/try.yml"


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a bare repository with two commits on main and one on the branch ``topic``."""
    bare, folder = tmp_path / "bare", tmp_path / "clone"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
    git(tmp_path, "clone", "-q", str(bare), str(folder))
    git(folder, "checkout", "-q", "-B", "main")
    for number in ("one", "two"):
        (folder / number).write_text(number)
        git(folder, "add", "--all")
        git(folder, "commit", "-q", "-m", number)
    git(folder, "push", "-q", "origin", "main", "main:topic")
    return folder


@pytest.fixture
def try_out(clone: Path) -> Callable[..., Acted]:
    """Run a workflow whose jobs are given as YAML."""

    def run(jobs: str, event: str = "push", payload: dict[str, Any] | None = None, on: str = "", **more: Any) -> Acted:
        file = clone / PATH
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"name: try\non: {on or event}\njobs:\n{jobs}")
        body = {
            "repository": {"full_name": "o/r", "default_branch": "main"},
            "sender": {"login": "ann"},
            **(payload or {}),
        }
        return act(clone, workflow=PATH, event=event, payload=body, **more)

    return run
