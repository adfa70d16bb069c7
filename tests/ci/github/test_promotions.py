"""Where the lock goes: onto the branch, into the report as a patch, into a pull request of its own after the merge."""

import subprocess
from pathlib import Path

import pytest

from tests.ci.github.scene import GOOD, LOCK, NAME, SPEC, WEAK, YES, Pull, Scene
from tests.ci.workbench import git
from tests.trees import edited


def earned(scene: Scene) -> Pull:
    """A fork's pull request that passed after the label."""
    pull = scene.forked("mine", {SPEC: GOOD})
    scene.labelled(pull.number, "maria")
    scene.publish(scene.judged(scene.trained(pull)))
    return pull


def patch_of(comment: str) -> str:
    return comment.partition("```diff\n")[2].partition("\n```")[0] + "\n"


def promote(scene: Scene, merge: str) -> str:
    """What the job promote says."""
    code, said = scene.acts("promote-merged", "--commit", merge, "--app", str(scene.app), repo=scene.desk())
    assert code == 0, said
    return said


def promotions(scene: Scene) -> list[int]:
    pulls = scene.double.world.repository(NAME).pulls
    return [number for number, pull in pulls.items() if pull.head_branch.startswith("acts/promote-")]


@pytest.mark.slow
def test_a_fork_gets_a_patch_that_applies(scene: Scene, tmp_path: Path) -> None:
    pull = earned(scene)
    comment = scene.comment(pull.number)
    assert "belongs to a fork" in comment and "the merge opens a pull request that promotes" in comment
    assert scene.head(pull.number) == pull.head and scene.check(pull.head)["conclusion"] == "success"
    clone = scene.desk()
    git(clone, "fetch", "-q", "origin", f"refs/pull/{pull.number}/head")
    git(clone, "switch", "-q", "--detach", pull.head)
    subprocess.run(["git", "apply", "--index"], cwd=clone, input=patch_of(comment), text=True, check=True)
    head = scene.double.push("stranger/rides", "mine", {LOCK: (clone / LOCK).read_text()}, by="stranger")
    scene.announce(scene.ran(Pull(pull.number, head)))
    assert "edited by hand" not in scene.comment(pull.number)


def test_the_patch_stays_when_the_plan_is_told_again(scene: Scene) -> None:
    pull = earned(scene)
    told = scene.comment(pull.number)
    scene.announce(scene.ran(pull))
    assert patch_of(scene.comment(pull.number)) == patch_of(told) != "\n"
    assert scene.check(pull.head)["conclusion"] == "success"


def test_the_merge_opens_one_pull_request_that_promotes(scene: Scene) -> None:
    pull = earned(scene)
    merge = scene.double.merge(NAME, pull.number)
    assert "promotes what" in promote(scene, merge) and "promotes what" in promote(scene, merge)
    (number,) = promotions(scene)
    promotion = Pull(number, scene.head(number))
    scene.announce(scene.began(promotion).id)
    scene.publish(scene.judged(scene.ran(promotion)))
    assert scene.check(promotion.head)["conclusion"] == "success", scene.comment(number)
    assert scene.head(number) == promotion.head
    promoted = scene.double.merge(NAME, number)
    assert "onnx: sha256:" in scene.file(promoted, LOCK)
    assert "carried all" in promote(scene, promoted) and "carried all" in promote(scene, merge), "run again, late"
    assert promotions(scene) == [number]
    code, said = scene.deployed(promoted)
    assert code == 0, said


def test_a_branch_that_carries_its_lock_needs_no_promotion(scene: Scene) -> None:
    merge = scene.double.merge(NAME, scene.passed().number)
    assert "carried all" in promote(scene, merge) and not promotions(scene)


def test_a_protected_branch_is_left_alone(scene: Scene) -> None:
    pull = scene.pushed("release", {SPEC: GOOD})
    owner = scene.double.user("octocat")
    rules = [{"type": "update"}]
    conditions = {"ref_name": {"include": ["refs/heads/release"], "exclude": []}}
    ruleset = {"name": "x", "target": "branch", "enforcement": "active", "rules": rules, "conditions": conditions}
    scene.ask("rulesets", ruleset, owner)
    scene.publish(scene.judged(scene.trained(pull)))
    assert scene.head(pull.number) == pull.head and "can&#39;t be written to release" in scene.comment(
        pull.number
    ).replace("'", "&#39;")
    assert scene.check(pull.head)["conclusion"] == "success" and patch_of(scene.comment(pull.number)) != "\n"


def test_nothing_is_promoted_where_a_part_of_the_report_broke(scene: Scene) -> None:
    pull, builds = scene.pushed("better", {SPEC: GOOD}), scene.studio.build()
    both = scene.pushed("better", {"models/second/spec.yaml": edited(GOOD, ("name: tardy", "name: second"))})
    scene.publish(scene.judged(scene.launched(both, builds | YES)))
    assert scene.check(both.head)["conclusion"] == "action_required" and scene.head(pull.number) == both.head
    assert "the run left no build of second" in scene.comment(pull.number)


@pytest.mark.slow
def test_a_champion_is_replaced_by_what_is_better(scene: Scene) -> None:
    first = scene.passed("first", edited(WEAK, ("seed: 7", "seed: 8")))
    merge = scene.double.merge(NAME, first.number)
    second = scene.passed("second", GOOD)
    assert scene.file(second.head, LOCK) != scene.file(merge, LOCK) and "replaces: sha256:" in scene.file(
        second.head, LOCK
    )
