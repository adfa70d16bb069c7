"""The system's own challenger on GitHub: looked for, built, judged, proposed, checked, merged and served."""

import json
from pathlib import Path

import pytest

from tests.ci.workbench import GOOD, MODEL, SPEC
from tests.github.double import Double
from tests.trees import edited
from tests.workflows.stage import DEPLOY, EXPERIMENT, NAME, PULL_REQUEST, TRAIN, Stage
from tests.workflows.stories.playing import FIRST, approved, jobs, lock_at, merged, served, version, went_well

BRANCH = f"experiment/{MODEL}"
ON = edited(GOOD, ("task: binary\n", "task: binary\nexperiment: {on: true, schedule: 0 5 * * *}\n"))


def endings(stage: Stage) -> list[str]:
    """How experiments ended, by the shared ledger."""
    rows = sorted((Path(stage.variables["ACTS_LEDGER"]) / "experiments").glob("*.json"))
    return [json.loads(row.read_text())["ending"] for row in rows]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_what_the_system_proposes_is_merged_by_people_and_served(stage: Stage, double: Double) -> None:
    with served(stage) as server:
        first = merged(stage, double, "first", FIRST)
        looked = stage.dispatch(EXPERIMENT, model="", cause="manual")
        assert looked.acted.returncode == 0, looked.acted.log[-5000:]
        assert looked.acted.jobs["due"] == "success" and looked.acted.jobs["publish"] == "skipped", "none is on"

        double.push(NAME, "main", {SPEC: ON}, message="feat: experiments")
        assert jobs(stage.play(), DEPLOY, "")[0]["deploy"] == "failure", "no pull request brought that commit"
        run = stage.dispatch(EXPERIMENT, model=MODEL, cause="manual")
        assert run.acted.returncode == 0 and not run.acted.orphans, run.acted.log[-8000:]
        assert run.acted.jobs[f"build (model, {MODEL})"] == "success" and run.acted.jobs["publish"] == "success"
        assert endings(stage) == ["opened"]
        (pull,) = [each for each in stage.ask("pulls?state=open") if each["head"]["ref"] == BRANCH]
        assert "The system proposes this by itself" in pull["body"] and version(server) == first
        names = {each["filename"] for each in stage.ask(f"pulls/{pull['number']}/files")}
        assert names == {f"models/{MODEL}/champion.lock.yaml", f"models/{MODEL}/card.md"}

        played = went_well(stage.play())
        assert jobs(played, PULL_REQUEST, "opened")[0]["plan"] == "success"
        assert jobs(played, TRAIN, "opened")[0]["build"] == "skipped", "nothing is built again"
        (check,) = stage.checks(pull["head"]["sha"])
        assert check["conclusion"] == "success"
        merge = approved(stage, pull["number"])
        went_well(stage.play())
        assert version(server) == lock_at(stage, merge)["onnx"].removeprefix("sha256:")[:12] != first

        stage.dispatch(EXPERIMENT, model=MODEL, cause="manual")
        assert endings(stage) == ["opened", "refused"], "the same bytes are no challenger"
