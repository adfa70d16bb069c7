"""The project's own checks as workflows: what runs when, from the files themselves."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.fingerprint import ROOT
from tests.workflows.acting import Acted, act
from tests.workflows.conftest import git

NOTHING = "name: nothing\ndescription: .\nruns: {using: composite, steps: [{shell: bash, run: echo}]}\n"
MAKEFILE = "%:\n\t@echo '[made $@]'\n"


@pytest.fixture
def start(clone: Path) -> Callable[..., Acted]:
    """Run one of our workflow files in a repository whose make only says what it was asked for."""
    shutil.copytree(ROOT / ".github", clone / ".github")
    (clone / ".github" / "actions" / "debian" / "action.yml").write_text(NOTHING)
    (clone / "Makefile").write_text(MAKEFILE)
    git(clone, "add", "--all")
    git(clone, "commit", "-q", "-m", "workflows")
    git(clone, "push", "-q", "origin", "main")

    def run(name: str, event: str, **payload: Any) -> Acted:
        common = {"repository": {"full_name": "o/r", "default_branch": "main"}, "sender": {"login": "ann"}}
        return act(clone, workflow=f".github/workflows/{name}", event=event, payload={**common, **payload})

    return run


def pull(*labels: str) -> dict[str, Any]:
    """A pull request in an event."""
    return {
        "number": 7,
        "labels": [{"name": name} for name in labels],
        "head": {"ref": "topic"},
        "base": {"ref": "main"},
    }


@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_lint_types_and_tests_run_on_pull_requests_and_on_main(start, event):
    acted = start("quality.yml", event, ref="refs/heads/main", action="opened", pull_request=pull())
    assert acted.jobs == {"lint-and-types": "success", "test": "success"}, acted.log
    assert [f"[made {target}]" in acted.log for target in ("check", "test", "test-slow")] == [True, True, False]


def labeled(name: str, *labels: str) -> dict[str, Any]:
    """A label was put on a pull request."""
    return {"action": "labeled", "label": {"name": name}, "pull_request": pull(*labels)}


def pushed(*labels: str) -> dict[str, Any]:
    """A pull request with labels has a new head."""
    return {"action": "synchronize", "pull_request": pull(*labels)}


@pytest.mark.parametrize(
    ("event", "payload", "result"),
    [
        ("push", {"ref": "refs/heads/main"}, "success"),
        ("pull_request", labeled("slow tests", "slow tests"), "success"),
        ("pull_request", labeled("docs", "docs", "slow tests"), "skipped"),
        ("pull_request", pushed("docs", "slow tests"), "success"),
        ("pull_request", pushed("docs"), "skipped"),
    ],
)
def test_slow_tests_run_on_main_and_where_a_label_asks_for_them(start, event, payload, result):
    acted = start("slow.yml", event, **payload)
    assert acted.jobs == {"slow": result}, acted.log
    assert ("[made test-slow]" in acted.log) is (result == "success")
