"""A stranger's pull request: a preview on the sample, a maintainer's word, the real build, a patch, a promotion."""

import json
import subprocess

import pytest

from tests.ci.workbench import GOOD, MODEL, SPEC
from tests.github.double import Double
from tests.workflows.stage import DEPLOY, NAME, PULL_REQUEST, TRAIN, VERDICT, Stage
from tests.workflows.stories.playing import approved, jobs, went_well

FORK = "stranger/rides"
LABEL = "acts:train"


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_fork_gets_a_preview_then_the_real_build_and_its_promotion_after_the_merge(
    stage: Stage, double: Double
) -> None:
    double.fork(NAME, "stranger")
    double.user("maintainer", {NAME: "maintain"})
    head = double.push(FORK, "better", {SPEC: GOOD}, by="stranger")
    number = double.open_pull(NAME, "stranger:better")

    played = went_well(stage.play())
    (built,) = [p for p in played if p.workflow == PULL_REQUEST]
    assert built.acted.jobs[f"build (model, {MODEL})"] == "success"
    (preview,) = stage.comments(number)
    assert "acts:train" in preview and "The holdout was not asked" in preview
    (check,) = stage.checks(head)
    assert check["conclusion"] == "action_required" and check["output"]["title"].startswith("Preview")
    assert stage.labels(number) == {"verdict:preview"}
    assert not list((stage.folder / "storage" / "ledger").glob("judgements/*")), "a fork never spends a judgement"

    _label(stage, number, "stranger")
    played = stage.play()
    assert LABEL not in stage.labels(number), "a label by who may not is taken off"
    assert "failure" in [found["admit"] for found in jobs(played, TRAIN, "labeled")]
    assert not [j for j in jobs(played, VERDICT, "completed") if j["evaluate"] != "skipped"], "and stands for nothing"

    _label(stage, number, "maintainer")
    head = double.push(FORK, "better", {"README.md": "one more"}, by="stranger")
    stage.play()
    assert LABEL not in stage.labels(number), "a push takes the approval away"

    _label(stage, number, "maintainer")
    played = went_well(stage.play())
    (trained,) = [j for j in jobs(played, TRAIN, "labeled") if j["admit"] == "success"]
    assert trained[f"build (model, {MODEL})"] == "success"
    (comment,) = stage.comments(number)
    assert "Passed" in comment and "Apply the patch" in comment and "diff --git a/models/tardy" in comment
    assert double.pull(NAME, number)["head"]["sha"] == head, "nothing was written to the fork"
    assert stage.checks(head)[0]["conclusion"] == "success"
    assert "verdict:preview" not in stage.labels(number)
    (row,) = (json.loads(f.read_text()) for f in (stage.folder / "storage" / "ledger" / "provenance").glob("*.json"))
    assert (row["launcher"], row["commit"], row["model"]) == ("train", head, MODEL)

    approved(stage, number)
    played = went_well(stage.play())
    assert jobs(played, DEPLOY, "")[0] == {"deploy": "success", "promote": "success"}
    promotion = _promotion_of(stage, number)
    (told,) = stage.comments(promotion)
    assert "champion: " in told or "first champion: " in told
    assert "skipped" in jobs(played, PULL_REQUEST, "opened")[0].values(), "nothing is built for a lock"
    merge = approved(stage, promotion)
    went_well(stage.play())
    lock = subprocess.run(
        ["git", "-C", str(double.path(NAME)), "show", f"{merge}:models/{MODEL}/champion.lock.yaml"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert head in lock, "the lock names the commit that was built"
    assert jobs(played, VERDICT, "completed")


def _label(stage: Stage, number: int, by: str) -> None:
    """Somebody sets the label; GitHub lets anybody with triage do so."""
    stage.double.user(by, {NAME: "triage"} if by == "stranger" else None)
    stage.ask(f"issues/{number}/labels", {"labels": [LABEL]}, stage.double.user(by))


def _promotion_of(stage: Stage, number: int) -> int:
    pulls = stage.ask("pulls?state=open")
    (found,) = (pull for pull in pulls if pull["head"]["ref"] == f"acts/promote-{number}")
    return int(found["number"])
