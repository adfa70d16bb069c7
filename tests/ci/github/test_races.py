"""Many pushes, told out of order, twice and at once: one comment, one check a head, and it is the newest head's."""

import random
import time
from collections.abc import Callable

import pytest

from tests.ci.github.scene import GATE, GOOD, LOCK, NAME, SPEC, Handed, Kept, Pull, Scene
from tests.ci.workbench import git


def one_truth(scene: Scene, pulls: list[Pull], newest: str) -> None:
    """One comment, of the newest head; one check for each head."""
    number = pulls[0].number
    assert f"head {newest[:12]}" in scene.comment(number)
    for head in {pull.head for pull in pulls} | {newest}:
        assert scene.check(head)["head_sha"] == head
    bots = {login for login, _ in scene.double.comments(NAME, number)}
    assert bots == {f"{GATE}[bot]"}


@pytest.mark.parametrize("count", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_many_pushes_leave_one_comment_and_one_check_a_head(scene: Scene, count: int) -> None:
    chance, pulls, handed = random.Random(count), list[Pull](), list[Handed]()
    for number in range(count):
        pulls.append(scene.pushed("better", {SPEC: GOOD, "docs/n.md": f"{number}\n"}))
        began = [scene.began(pull).id for pull in pulls[-1:]]
        for run in chance.sample(began * 2, 2):
            scene.announce(run)
        handed.append(scene.judged(scene.trained(pulls[-1])))
    for one in chance.sample(handed * 2, count * 2):
        scene.publish(one)
    newest = scene.head(pulls[0].number)
    one_truth(scene, pulls, pulls[-1].head)
    assert {scene.check(pull.head)["conclusion"] for pull in pulls} == {"success"}
    new = git(scene.double.path(NAME), "rev-list", f"{pulls[-1].head}..{newest}").split()
    assert new == [newest] and scene.file(newest, LOCK), "one commit promotes"
    assert len(scene.rows("judgements")) == 1 and len(scene.rows("provenance")) == count


def met(scene: Scene, path: str) -> None:
    """Wait until a fault has met a request."""
    end = time.monotonic() + 60
    while not any(path in found for _, found in scene.double.faults.met):
        assert time.monotonic() < end
        time.sleep(0.02)


def held(scene: Scene, method: str, path: str, arguments: tuple[str, ...], meanwhile: Callable[[], object]) -> None:
    """A command whose next request of a kind waits until ``meanwhile`` is done."""
    scene.double.faults.next(method, path, hang=2.5)
    with scene.process(*arguments, repo=scene.desk()) as process:
        try:
            met(scene, path.removeprefix(".*"))
            meanwhile()
        finally:
            said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said


def publishing(handed: Handed) -> tuple[str, ...]:
    return ("publish", "--folder", str(handed.folder), "--digest", handed.digest, "--run-id", str(handed.run))


@pytest.mark.slow
def test_a_verdict_that_is_told_while_a_push_comes_gives_way(scene: Scene, kept: Kept) -> None:
    pull, handed = scene.pushed_again(kept)

    def push() -> None:
        newer = scene.pushed("better", {"docs/n.md": "newer\n"})
        scene.announce(scene.began(newer).id)
        assert f"head {newer.head[:12]}" in scene.comment(pull.number)

    scene.double.push(NAME, "better", {"docs/n.md": "moved\n"})
    moved = Pull(pull.number, scene.head(pull.number))
    run = scene.began(moved).id
    held(scene, "POST", "/comments", ("announce", "--run-id", str(run)), push)
    one_truth(scene, [moved], scene.head(pull.number))
    scene.publish(handed)
    one_truth(scene, [moved, pull], scene.head(pull.number))
    assert scene.check(pull.head)["conclusion"] == "success" and not scene.file(scene.head(pull.number), LOCK)


@pytest.mark.slow
def test_a_plan_that_is_told_late_does_not_hide_the_verdict(scene: Scene, kept: Kept) -> None:
    pull, handed = scene.pushed_again(kept)
    run = scene.began(pull).id
    held(scene, "POST", "/check-runs", ("announce", "--run-id", str(run)), lambda: scene.publish(handed))
    # Each made a check at the same time; GitHub shows and asks the newest, and keeps both.
    assert [check["conclusion"] for check in scene.checks(pull.head)] == ["success", "success"]
    assert scene.check(scene.head(pull.number))["conclusion"] == "success"
    assert "Passed" in scene.comment(pull.number)


def test_two_publish_the_same_at_the_same_time(scene: Scene, kept: Kept) -> None:
    pull, handed = scene.pushed_again(kept)
    both = [scene.process(*publishing(handed), repo=scene.desk()) for _ in range(2)]
    for process in both:
        with process:
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
    promoted = scene.head(pull.number)
    assert f"head {pull.head[:12]}" in scene.comment(pull.number)
    # Each may have made a check at the same time: both say the same.
    assert {check["conclusion"] for check in scene.checks(pull.head)} == {"success"}
    assert git(scene.double.path(NAME), "rev-list", "--count", f"{pull.head}..{promoted}") == "1"


def test_publishing_again_changes_nothing(scene: Scene, kept: Kept) -> None:
    pull, handed = scene.pushed_again(kept)
    scene.publish(handed)
    told, promoted = scene.comment(pull.number), scene.head(pull.number)
    scene.double.calls.clear()
    scene.publish(handed)
    writes = [call.path for call in scene.double.calls if call.method in ("PATCH", "DELETE", "PUT")]
    assert not writes and scene.comment(pull.number) == told and scene.head(pull.number) == promoted


def test_judging_that_broke_is_told_and_judged_again(scene: Scene) -> None:
    pull = scene.pushed("better", {SPEC: GOOD})
    scene.announce(scene.began(pull).id)
    run = scene.trained(pull)
    code, said = scene.acts("broken", "--run-id", str(run), repo=scene.desk())
    assert code == 0 and "Told that it broke" in said
    assert scene.check(pull.head)["conclusion"] == "action_required" and "without a verdict" in scene.comment(
        pull.number
    )
    scene.publish(scene.judged(run))
    assert scene.check(pull.head)["conclusion"] == "success"
    assert "There is a verdict" in scene.acts("broken", "--run-id", str(run), repo=scene.desk())[1]
    assert scene.check(pull.head)["conclusion"] == "success"
