"""What the stories share: a protected repository, and words for how runs went."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.double import Double, github_double
from tests.workflows.stage import NAME, Played, Stage


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    """A GitHub."""
    with github_double(tmp_path / "github") as double:
        yield double


@pytest.fixture
def stage(tmp_path: Path, double: Double) -> Stage:
    """Protected by the real command, with an owner and a reviewer."""
    stage = Stage.prepared(tmp_path, double, **{".github/CODEOWNERS": "* @reviewer\n"})
    double.user("reviewer", {NAME: "write"})
    owner = double.user("octocat")
    for expected in ("Protected.", "as it should be"):
        done = subprocess.run(
            [sys.executable, "-m", "ci.main", "github", "protect", "--app", str(stage.gate), "--yes"],
            env={"GITHUB_TOKEN": owner, "GITHUB_REPOSITORY": NAME, "GITHUB_API_URL": double.url, "PATH": "/usr/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0 and expected in done.stdout, done.stderr
    return stage


def jobs(played: list[Played], workflow: str, action: str) -> list[dict[str, str]]:
    """Jobs and results of each run of a workflow."""
    return [p.acted.jobs for p in played if (p.workflow, p.action) == (workflow, action)]


def went_well(played: list[Played]) -> list[Played]:
    """The runs, none of which failed or left a process."""
    for one in played:
        assert one.acted.returncode == 0, one.acted.log[-5000:]
        assert not one.acted.orphans
    return played


def approved(stage: Stage, number: int) -> str:
    """Approve and merge; the merge's commit."""
    token = stage.double.user("reviewer")
    stage.ask(f"pulls/{number}/reviews", {"event": "APPROVE"}, token)
    return stage.double.merge(NAME, number)
