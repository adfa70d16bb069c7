"""From a push to what is served and back: the repository's own workflow files, the double, a real server."""

import subprocess
from typing import Any

import pytest

from tests.ci.workbench import GOOD, MODEL, SPEC, WEAK
from tests.github.double import Double
from tests.github.exchange import GitHubError
from tests.serving.running import Server, running
from tests.trees import edited
from tests.workflows.stage import DEPLOY, NAME, PULL_REQUEST, TRAIN, VERDICT, Stage
from tests.workflows.stories.playing import approved, jobs, went_well

LOCK = f"models/{MODEL}/champion.lock.yaml"
FIRST = edited(WEAK, ("seed: 7", "seed: 8"))
ROW = {"miles": [20.0], "carrier": ["AA"], "seats": [3]}


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_branch_is_planned_judged_promoted_merged_served_and_reverted(stage: Stage, double: Double) -> None:
    places = {name: stage.variables[name] for name in ("ACTS_STORE", "ACTS_SERVING")}
    with running(stage.folder, environment=places) as server:
        stage.variables["ACTS_HEALTH_URLS"] = server.url
        first = _merged(stage, double, "first", FIRST)
        assert _served(server) == first
        second = _merged(stage, double, "better", GOOD)
        assert second != first and _served(server) == second
        _revert(stage, double)
        assert _served(server) == first, "a revert rolls back"


def _merged(stage: Stage, double: Double, branch: str, spec: str) -> str:
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
    return _lock(stage, merge)["onnx"].removeprefix("sha256:")[:12]


def _revert(stage: Stage, double: Double) -> None:
    """What GitHub's revert button makes: a branch that takes the last merge back, lock and spec."""
    clone = stage.folder / "reverting"
    for command in (
        ("clone", "-q", str(double.path(NAME)), str(clone)),
        ("-C", str(clone), "checkout", "-q", "-b", "take-back"),
        (
            "-C",
            str(clone),
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "revert",
            "--no-edit",
            "-m",
            "1",
            "HEAD",
        ),
        ("-C", str(clone), "push", "-q", "origin", "take-back"),
    ):
        subprocess.run(["git", *command], check=True, capture_output=True)
    number = double.open_pull(NAME, "take-back")
    played = went_well(stage.play())
    assert jobs(played, TRAIN, "opened")[0] == {"withdraw": "skipped", "admit": "success", "build": "skipped"}
    (comment,) = stage.comments(number)
    assert "goes back to a champion that the base branch had" in comment
    (check,) = stage.checks(double.pull(NAME, number)["head"]["sha"])
    assert check["conclusion"] == "success"
    approved(stage, number)
    went_well(stage.play())


def _lock(stage: Stage, commit: str) -> dict[str, Any]:
    import yaml

    text = subprocess.run(
        ["git", "-C", str(stage.double.path(NAME)), "show", f"{commit}:{LOCK}"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def _served(server: Server) -> str:
    """The version that answers a row."""
    status, answer = server.infer(ROW, MODEL)
    assert status == 200, answer
    return str(answer["model_version"])
