"""Who may have a commit built by the launcher, and for how long."""

import json

import pytest

from ci.github.standing import TRAIN_LABEL
from tests.ci.github.scene import GOOD, NAME, SPEC, TRAIN, YES, Pull, Scene
from tests.trees import RIDES, edited

TOKEN = {"contents": "read", "metadata": "read", "pull_requests": "write"}


@pytest.fixture
def pull(scene: Scene) -> Pull:
    """A fork's."""
    return scene.forked("mine", {SPEC: GOOD})


def admitted(scene: Scene, pull: Pull, by: str = "", head: str = "") -> tuple[int, str]:
    """How the job admit ended, with its own token, and what it said; ``by``: who set the label."""
    arguments = ("admit", "--pull", str(pull.number), "--head", head or pull.head, "--labelled-by", by)
    return scene.acts(*arguments, repo=scene.desk(), token=scene.double.actions_token(NAME, TOKEN))


def built(scene: Scene) -> list[str]:
    """Names of what the job told the others to build; none where it admitted nothing."""
    found = scene.outputs()
    names = [build["name"] for build in json.loads(found["builds"])["include"]]
    assert found["admitted"] == "true" or not names
    return names


@pytest.mark.parametrize("level", ["admin", "maintain", "write"])
def test_who_may_write_may_approve(scene: Scene, pull: Pull, level: str) -> None:
    scene.double.user("paula", {NAME: level})
    scene.labelled(pull.number, "paula")
    code, said = admitted(scene, pull, "paula")
    assert code == 0 and "3 builds" in said and built(scene) == ["rides", "trips", "tardy"]
    assert TRAIN_LABEL in scene.labels(pull.number)


@pytest.mark.parametrize("by", ["tom", "nobody-at-all", "../../user"])
def test_a_label_set_by_anybody_else_is_taken_off(scene: Scene, pull: Pull, by: str) -> None:
    scene.labelled(pull.number, "maria")
    code, said = admitted(scene, pull, by)
    assert code == 1 and "The label is off" in said and f"{by} has the right" in said
    assert TRAIN_LABEL not in scene.labels(pull.number)


def test_another_head_is_not_approved(scene: Scene, pull: Pull) -> None:
    scene.labelled(pull.number, "maria")
    newer = scene.forked("mine", {"docs/a.md": "newer\n"})
    for head in (pull.head, "0" * 40):
        code, said = admitted(scene, pull, "maria", head)
        assert code == 1 and "label again" in said
    assert admitted(scene, newer, "maria")[0] == 0 and built(scene)


def test_without_the_label_nothing_is_approved(scene: Scene, pull: Pull) -> None:
    code, said = admitted(scene, pull, "maria")
    assert code == 1 and "any more" in said


def test_a_refused_plan_is_not_built(scene: Scene) -> None:
    mine = scene.forked("mine", {"data_contracts/trips.sql": None})
    scene.labelled(mine.number, "maria")
    code, said = admitted(scene, mine, "maria")
    assert code == 0 and "data_contracts/trips" in said and not built(scene)


# What the launcher builds by itself


def test_contracts_specs_and_texts_of_a_branch_are_built_by_themselves(scene: Scene) -> None:
    pull = scene.pushed("better", {SPEC: GOOD, "README.md": "# Rides, better\n", "docs/rides.md": "More\n"})
    assert admitted(scene, pull)[0] == 0 and built(scene) == ["rides", "trips", "tardy"]


def test_a_fork_s_are_not(scene: Scene, pull: Pull) -> None:
    code, said = admitted(scene, pull)
    assert code == 0 and "It comes from a fork" in said and not built(scene)


@pytest.mark.parametrize(
    "path",
    [
        TRAIN, "dagster_project/training.py", "models/tardy/architecture.py", "data_contracts/x.py", "pyproject.toml",
        "polars.py", "models/tardy/spec.yaml.py", ".gitattributes", "landing/rides/more.csv",
    ],
)  # fmt: skip
def test_what_a_build_may_run_waits_for_a_maintainer(scene: Scene, path: str) -> None:
    pull = scene.pushed("mine", {SPEC: GOOD, path: "x = 2\n"})
    code, said = admitted(scene, pull)
    assert code == 0 and f"({path})" in said and not built(scene)


def test_a_head_that_moved_is_not_built(scene: Scene) -> None:
    pull = scene.pushed("better", {SPEC: GOOD})
    newer = scene.pushed("better", {"docs/a.md": "newer\n"})
    code, said = admitted(scene, pull)
    assert code == 0 and "any more" in said and not built(scene)
    assert admitted(scene, newer)[0] == 0 and built(scene)


def test_a_pull_request_onto_another_branch_is_not_built(scene: Scene) -> None:
    scene.double.push(NAME, "easy", {"models/floor.yaml": "schema_version: 1\n"})
    head = scene.double.push(NAME, "mine", {SPEC: GOOD}, start="easy")
    pull = Pull(scene.double.open_pull(NAME, "mine", base="easy"), head)
    for by in ("", "maria"):
        scene.labelled(pull.number, "maria")
        code, said = admitted(scene, pull, by)
        assert code == 0 and "not open for main" in said and not built(scene)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("path: landing/rides/*.csv", "path: landing/other/*.csv", "read from another place"),
        ("type: local\n", "type: local\n    environment: sample\n", "read from another place"),
    ],
)
def test_another_source_waits_for_a_maintainer(scene: Scene, old: str, new: str, said: str) -> None:
    pull = scene.pushed("mine", {"data_contracts/rides.yaml": edited(RIDES, (old, new))})
    code, words = admitted(scene, pull)
    assert code == 0 and said in words and not built(scene)


# How long it holds


def test_a_push_withdraws(scene: Scene, pull: Pull) -> None:
    scene.labelled(pull.number, "maria")
    for said in ("is withdrawn", "had no approval"):
        found = scene.acts("withdraw", "--pull", str(pull.number), repo=scene.desk())
        assert found[0] == 0 and said in found[1]
    assert not scene.labels(pull.number)


def test_the_launcher_s_build_counts_for_its_commit_alone(scene: Scene, pull: Pull) -> None:
    scene.labelled(pull.number, "maria")
    run = scene.trained(pull)
    handed = scene.judged(run)
    assert not handed.outbox.preview
    newer = scene.forked("mine", {"README.md": "newer\n"})
    assert scene.evaluated(run) is None, "of a head that is gone"
    scene.publish(handed)
    assert scene.check(pull.head)["conclusion"] == "success" and not scene.comments(newer.number)


def test_a_launcher_s_run_that_was_not_approved_is_not_judged(scene: Scene, pull: Pull) -> None:
    """Anybody who may set labels starts one; its first job says no and takes the label off."""
    scene.labelled(pull.number, "tom")
    title = f"train #{pull.number} at {pull.head}"
    assert admitted(scene, pull, "tom")[0] == 1
    run = scene.ran(pull, workflow=TRAIN, event="pull_request_target", title=title, conclusion="failure")
    assert scene.evaluated(run) is None and not scene.comments(pull.number)


@pytest.mark.parametrize(
    "title",
    ["train #7 at {head}", "train #{number} at " + "0" * 40, "withdraw #{number}", "x train #{number} at {head}"],
)
def test_a_launcher_s_run_of_something_else_is_not_judged(scene: Scene, pull: Pull, title: str) -> None:
    scene.labelled(pull.number, "maria")
    name = title.format(number=pull.number, head=pull.head)
    run = scene.ran(pull, artifacts=YES, workflow=TRAIN, event="pull_request_target", title=name)
    code, said = scene.acts(
        "evaluate", "--run-id", str(run), "--out", "x", "--report", "y", repo=scene.desk(), environment=scene.judging
    )
    assert (code, "No open pull request" in said) == (0, True) or (code == 2 and "not there" in said)
