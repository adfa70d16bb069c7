"""What the stories share: a protected repository, and words for how runs went."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.workbench import MODEL, SPEC, WEAK
from tests.github.double import Double, github_double
from tests.github.exchange import GitHubError
from tests.serving.running import Server, running
from tests.trees import edited
from tests.workflows.stage import DEPLOY, NAME, PULL_REQUEST, TRAIN, VERDICT, Played, Stage

LOCK = f"models/{MODEL}/champion.lock.yaml"
FIRST = edited(WEAK, ("seed: 7", "seed: 8"))
ROW = {"miles": [20.0], "carrier": ["AA"], "seats": [3]}


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


@contextmanager
def served(stage: Stage) -> Iterator[Server]:
    """A server of what the workflows deploy, whose health they ask."""
    places = {name: stage.variables[name] for name in ("ACTS_STORE", "ACTS_SERVING")}
    with running(stage.folder, environment=places) as server:
        stage.variables["ACTS_HEALTH_URLS"] = server.url
        yield server


def merged(stage: Stage, double: Double, branch: str, spec: str) -> str:
    """A pull request played to its deployment; the short digest of the champion."""
    pushed = double.push(NAME, branch, {SPEC: spec}, message="feat: another model")
    number = double.open_pull(NAME, branch)
    before = len(double.calls)
    played = went_well(stage.play())

    assert jobs(played, PULL_REQUEST, "opened") == [{"plan": "success", "build": "skipped"}]
    assert jobs(played, TRAIN, "opened")[0][f"build (model, {MODEL})"] == "success", "by main's code, with no label"
    told = [c for c in double.calls[before:] if "/comments" in c.path and c.method in ("POST", "PATCH")]
    assert "Planned" in told[0].body["body"] and told[0].method == "POST", "the plan is told before anything is spent"
    assert {c.method for c in told[1:]} == {"PATCH"}
    (comment,) = stage.comments(number)
    assert "Passed" in comment and "champion lock" in comment

    promoted = double.pull(NAME, number)["head"]["sha"]
    assert promoted != pushed
    for head in (pushed, promoted):
        (check,) = stage.checks(head)
        assert (check["name"], check["conclusion"]) == ("Three Acts", "success") and check["external_id"]
    assert "challenger:better" in stage.labels(number)
    again = jobs(played, PULL_REQUEST, "synchronize")
    again += jobs(played, TRAIN, "synchronize")
    ran = [{job for job, result in each.items() if result != "skipped"} for each in again]
    assert ran == [{"plan"}, {"admit"}], "nothing is built again"
    assert [j["publish"] for j in jobs(played, VERDICT, "completed")].count("success") == 1, "nothing is judged again"

    with pytest.raises(GitHubError, match="review"):
        double.merge(NAME, number)
    merge = approved(stage, number)
    played = went_well(stage.play())
    (deployed,) = jobs(played, DEPLOY, "")
    assert deployed == {"deploy": "success", "promote": "success"}
    (deployment,) = stage.ask(f"deployments?sha={merge}")
    states = [status["state"] for status in stage.ask(f"deployments/{deployment['id']}/statuses")]
    assert states[0] == "success" and "in_progress" in states
    assert not [p for p in double.calls if p.path.endswith("/pulls") and p.method == "POST"], "no promotion of its own"
    return lock_at(stage, merge)["onnx"].removeprefix("sha256:")[:12]


def lock_at(stage: Stage, commit: str) -> dict[str, Any]:
    """The model's lock at a commit."""
    text = subprocess.run(
        ["git", "-C", str(stage.double.path(NAME)), "show", f"{commit}:{LOCK}"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def version(server: Server) -> str:
    """The version that answers a row."""
    status, answer = server.infer(ROW, MODEL)
    assert status == 200, answer
    return str(answer["model_version"])
