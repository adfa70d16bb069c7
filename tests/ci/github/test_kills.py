"""A job that is killed at any request, and run again, ends as one that was not."""

import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.deployment import DESIRED
from tests.ci.github.scene import DEPLOY_RIGHTS, NAME, Crowns, Handed, Kept, Pull, Scene, Studio
from tests.ci.workbench import git
from tests.github.double import github_double

Arguments = tuple[str, ...]
MOST = 200
STEP = 4
"""Of the requests at which a job is killed; with 1, the whole takes half an hour."""


def publishing(handed: Handed) -> Arguments:
    return ("publish", "--folder", str(handed.folder), "--digest", handed.digest, "--run-id", str(handed.run))


@contextmanager
def killed_at(scene: Scene, request: int) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes in the list are killed when the double gets the request of this number; it is done all the same."""
    victims, take, lock = list["subprocess.Popen[str]"](), scene.double.faults.take, threading.Lock()
    count = 0

    def counted(method: str, path: str) -> Any:
        nonlocal count
        with lock:
            count += 1
            if count == request:
                for victim in victims:
                    os.kill(victim.pid, signal.SIGKILL)
        return take(method, path)

    scene.double.faults.take = counted  # type: ignore[method-assign]
    try:
        yield victims
    finally:
        scene.double.faults.take = take  # type: ignore[method-assign]


def survives(scene: Scene, arguments: Arguments, request: int, token: str = "", after: float = 0.0) -> bool:
    """Run a command that is killed at a request, or some seconds after its first; whether it came to its end."""
    with killed_at(scene, request) as victims, scene.process(*arguments, repo=scene.desk(), token=token) as process:
        victims.append(process)
        if after:
            time.sleep(after)
            process.kill()
        said, _ = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode == 0


def ending(scene: Scene, pull: Pull) -> dict[str, Any]:
    """All that is left, but for numbers and times that differ from one GitHub to the next."""
    head = scene.head(pull.number)
    bare = scene.double.path(NAME)
    return {
        "comments": [_plain(text) for text in scene.comments(pull.number)],
        "checks": [_seen(check) for commit in (pull.head, head) for check in scene.checks(commit)],
        "labels": scene.labels(pull.number),
        "tree": git(bare, "rev-parse", f"{head}^{{tree}}"),
        "commits": git(bare, "rev-list", "--count", f"main..{head}"),
        "branches": git(bare, "for-each-ref", "--format=%(refname)", "refs/heads"),
        "provenance": [row["bundle"] for row in scene.rows("provenance")],
        "blobs": len(scene.store.own_digests()),
        "judged": {name.replace(head, "HEAD") for name in scene.store.refs("judged")},
    }


def _seen(check: dict[str, Any]) -> tuple[Any, ...]:
    output = check["output"]
    said = (check["status"], check["conclusion"], output["title"], _plain(output["summary"]))
    return (*said, output["annotations_count"], bool(check["external_id"]))


def _plain(text: str) -> str:
    return re.sub(r"127\.0\.0\.1:\d+|runs/\d+|made \d{4}-\S+ \S+", "", text)


@contextmanager
def stage(folder: Path, studio: Studio) -> Iterator[Scene]:
    with github_double(folder / "github") as double:
        yield Scene.arranged(folder, double, studio)


Play = Callable[[Scene], tuple[Pull, Arguments]]


def published(kept: Kept) -> Play:
    def play(scene: Scene) -> tuple[Pull, Arguments]:
        pull, handed = scene.pushed_again(kept)
        return pull, publishing(handed)

    return play


def announced(kept: Kept) -> Play:
    def play(scene: Scene) -> tuple[Pull, Arguments]:
        pull, _ = scene.pushed_again(kept)
        return pull, ("announce", "--run-id", str(scene.began(pull).id))

    return play


PLAYS = {"publish": published, "announce": announced}


def end_without_a_kill(folder: Path, studio: Studio, play: Play) -> tuple[dict[str, Any], int]:
    """The ending, and how many requests it took."""
    with stage(folder, studio) as scene:
        pull, arguments = play(scene)
        before = len(scene.double.calls)
        assert scene.acts(*arguments, repo=scene.desk())[0] == 0
        count = len(scene.double.calls) - before
        return ending(scene, pull), count


def end_with_a_kill(folder: Path, studio: Studio, play: Play, request: int, after: float = 0.0) -> dict[str, Any]:
    with stage(folder, studio) as scene:
        pull, arguments = play(scene)
        survives(scene, arguments, request, after=after)
        code, said = scene.acts(*arguments, repo=scene.desk())
        assert code == 0, said
        return ending(scene, pull)


def test_a_kill_in_the_middle_changes_no_end(tmp_path: Path, studio: Studio, kept: Kept) -> None:
    play = published(kept)
    expected, count = end_without_a_kill(tmp_path / "whole", studio, play)
    request = count * 2 // 3
    assert end_with_a_kill(tmp_path / "killed", studio, play, request) == expected


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", PLAYS)
def test_a_kill_at_any_request_changes_no_end(tmp_path: Path, studio: Studio, kept: Kept, what: str) -> None:
    play = PLAYS[what](kept)
    expected, count = end_without_a_kill(tmp_path / "whole", studio, play)
    assert 5 < count < MOST
    for request in range(1, count + 1, STEP):
        found = end_with_a_kill(tmp_path / f"at-{request}", studio, play, request)
        assert found == expected, f"killed at request {request} of {count}"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", PLAYS)
def test_a_kill_at_any_time_changes_no_end(tmp_path: Path, studio: Studio, kept: Kept, what: str) -> None:
    play, chance = PLAYS[what](kept), random.Random(7)
    expected, _ = end_without_a_kill(tmp_path / "whole", studio, play)
    for number in range(4):
        after = chance.uniform(0.5, 2.5)
        found = end_with_a_kill(tmp_path / f"after-{number}", studio, play, MOST, after)
        assert found == expected, f"killed after {after:.2f} seconds"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_evaluation_that_is_killed_spends_one_judgement(scene: Scene, kept: Kept) -> None:
    pull, _ = scene.pushed_again(kept)
    run = scene.trained(pull)
    chance = random.Random(7)
    for number in range(4):
        repo = scene.desk()
        out = ("--out", str(scene.folder / f"out-{number}"), "--report", str(scene.folder / f"pages-{number}"))
        with scene.process("evaluate", "--run-id", str(run), *out, repo=repo, environment=scene.judging) as process:
            time.sleep(chance.uniform(2.0, 8.0))
            process.kill()
            process.communicate(timeout=60)
    scene.publish(scene.judged(run))
    assert scene.check(pull.head)["conclusion"] == "success" and len(scene.rows("judgements")) == 1


# No server is waited for, and Dagster is not told.
QUICK = """
import ci.deploying.publishing, ci.github.health, ci.github.shipping
ci.github.shipping.unhealthy = lambda servers, models: ci.github.health.unhealthy(servers, models, 0.0)
ci.deploying.publishing.record = lambda *_, **__: None
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("well", [True, False], ids=["healthy", "not healthy"])
def test_a_deployment_that_is_killed_at_any_request_ends_the_same(
    tmp_path: Path, studio: Studio, crowns: Crowns, well: bool
) -> None:
    expected, _ = _deployed(tmp_path / "whole", studio, crowns, MOST, well)
    assert expected == ("success" if well else "failure", "second" if well else "first")
    for request in range(1, MOST, STEP):
        found, whole = _deployed(tmp_path / f"at-{request}", studio, crowns, request, well)
        assert found == expected, f"killed at request {request}"
        if whole:
            break
    assert request > 5


def _deployed(
    folder: Path, studio: Studio, crowns: Crowns, request: int, well: bool
) -> tuple[tuple[str, str | None], bool]:
    """What is told and served at the end; whether the command came to its end before it was killed."""
    with stage(folder, studio) as scene:
        shutil.copytree(crowns.storage, scene.storage)
        first = scene.crowned(crowns.first, "first")
        _deploy(scene, first, MOST, True)
        second = scene.crowned(crowns.second, "second")
        code = _deploy(scene, second, request, well)
        if code < 0:
            assert _deploy(scene, second, MOST, well) == (0 if well else 1)
        owner = scene.double.user("octocat")
        (deployment,) = scene.ask(f"deployments?sha={second}", token=owner)
        last = scene.ask(f"deployments/{deployment['id']}/statuses", token=owner)[0]
        desired = scene.store.get_ref(DESIRED) or {}
        return (last["state"], {first: "first", second: "second"}.get(str(desired.get("commit")))), code >= 0


def _deploy(scene: Scene, merge: str, request: int, well: bool) -> int:
    """The exit code of the job, which is killed at a request."""
    health = () if well else ("--health", "http://127.0.0.1:9")
    arguments = ("deploy", "--commit", merge, "--app", str(scene.app), "--wait", "0", *health)
    token = scene.double.actions_token(NAME, DEPLOY_RIGHTS)
    with (
        killed_at(scene, request) as victims,
        scene.process(*arguments, repo=scene.desk(), token=token, first=QUICK) as process,
    ):
        victims.append(process)
        process.communicate(timeout=60)
    return process.returncode
