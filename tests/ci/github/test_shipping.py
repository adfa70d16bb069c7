"""From a merge to what is served: what is not healthy goes back, and GitHub is told so, killed or not."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ci.github.shipping
from dagster_project.domain.deployment import DESIRED
from tests.ci.github.scene import DEPLOY_RIGHTS, GOOD, LOCK, NAME, SPEC, Crowns, Scene


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster is not told; tests/ci/deploying does that."""
    monkeypatch.setattr("ci.deploying.publishing.record", lambda *_, **__: None)


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What servers say the next times they are asked; then they are well."""
    answers: list[str] = []
    monkeypatch.setattr(ci.github.shipping, "unhealthy", lambda *_: answers.pop(0) if answers else "")
    yield answers


@pytest.fixture
def scene(reign: Scene, crowns: Crowns) -> Scene:
    """Its storage knows two champions."""
    return reign


@pytest.fixture
def merge(scene: Scene, crowns: Crowns) -> str:
    """Main's first champion, merged."""
    return scene.crowned(crowns.first, "first")


@pytest.fixture
def second(scene: Scene, merge: str, crowns: Crowns) -> Callable[[], str]:
    """Merges the second champion."""
    return lambda: scene.crowned(crowns.second, "second")


def statuses(scene: Scene, commit: str) -> list[tuple[str, str]]:
    """States and words of the commit's one deployment, oldest first."""
    owner = scene.double.user("octocat")
    (deployment,) = scene.ask(f"deployments?sha={commit}", token=owner)
    found = scene.ask(f"deployments/{deployment['id']}/statuses", token=owner)
    return [(one["state"], one["description"]) for one in reversed(found)]


def served(scene: Scene) -> dict[str, Any]:
    """The desired state."""
    import json

    ref = scene.store.get_ref(DESIRED)
    assert ref is not None
    found: dict[str, Any] = json.loads(scene.store.get(ref["digest"]))
    return found


def test_a_merge_is_published_and_told(scene: Scene, merge: str, health: list[str]) -> None:
    code, said = scene.deployed(merge)
    assert code == 0, said
    assert [state for state, _ in statuses(scene, merge)] == ["in_progress", "success"]
    assert served(scene)["commit"] == merge and served(scene)["models"]["tardy"]["lock"]["onnx"] in scene.file(
        merge, LOCK
    )
    assert scene.deployed(merge)[0] == 0
    assert len(scene.rows("deployments")) == 1 and len(statuses(scene, merge)) <= 4


def test_what_is_not_healthy_goes_back(scene: Scene, merge: str, second: Callable[[], str], health: list[str]) -> None:
    assert scene.deployed(merge)[0] == 0
    newer = second()
    health += ["http://a/v2/health/ready: answered 503 " + "x" * 200]
    code, said = scene.deployed(newer)
    assert code == 1 and f"back to {merge[:12]}" in said and "answered 503" in said
    state, words = statuses(scene, newer)[-1]
    assert state == "failure" and f"back to {merge[:12]}" in words and "answered 503" in words
    assert served(scene)["commit"] == merge
    assert scene.deployed(newer)[0] == 0, "run again, when it is mended"
    assert served(scene)["commit"] == newer and statuses(scene, newer)[-1][0] == "success"


def test_a_first_deployment_has_nothing_to_go_back_to(scene: Scene, merge: str, health: list[str]) -> None:
    health += ["http://a/v2/health/ready: does not answer"]
    code, said = scene.deployed(merge)
    assert code == 1 and "nothing was taken back" in said
    assert statuses(scene, merge)[-1][0] == "failure" and "nothing was taken back" in statuses(scene, merge)[-1][1]
    assert scene.deployed(merge)[0] == 0 and statuses(scene, merge)[-1][0] == "success"


def test_a_deployment_that_was_killed_still_goes_back(
    scene: Scene, merge: str, second: Callable[[], str], health: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scene.deployed(merge)[0] == 0
    newer = second()
    with monkeypatch.context() as patch:
        patch.setattr(ci.github.shipping, "unhealthy", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert scene.deployed(newer)[0] == 3
    assert served(scene)["commit"] == newer and statuses(scene, newer)[-1][0] == "error"
    health += ["http://a/v2/health/ready: answered 503"]
    assert scene.deployed(newer)[0] == 1
    assert served(scene)["commit"] == merge and statuses(scene, newer)[-1][0] == "failure"


def test_what_another_published_meanwhile_is_left_alone(
    scene: Scene, merge: str, second: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scene.deployed(merge)[0] == 0
    newer = second()
    desk = scene.desk()

    def other(*_: object) -> str:
        from ci.deploying.console import Console
        from ci.deploying.run import deploy

        deploy(desk, f"{newer}^1", 0, Console())
        return "answered 503"

    monkeypatch.setattr(ci.github.shipping, "unhealthy", other)
    code, said = scene.deployed(newer)
    assert code == 1 and "nothing was taken back" in said and served(scene)["commit"] == merge
    assert len(scene.rows("deployments")) == 3, "what the other published was not published again"


def test_a_rollback_that_breaks_is_told(scene: Scene, merge: str, second: Callable[[], str], health: list[str]) -> None:
    assert scene.deployed(merge)[0] == 0
    onnx = next(line.split()[1] for line in scene.file(merge, LOCK).splitlines() if line.startswith("bundle:"))
    newer = second()
    Path(scene.store.where(onnx)).unlink()
    health += ["answered 503"]
    code, said = scene.deployed(newer)
    assert code == 1 and f"back to {merge[:12]}: broken" in said
    assert statuses(scene, newer)[-1][0] == "failure" and served(scene)["commit"] == newer


@pytest.mark.parametrize("how", ["pushed", "of another repository", "unknown"])
def test_what_no_pull_request_merged_is_not_deployed(scene: Scene, how: str) -> None:
    commit = scene.double.push(NAME, "main", {"README.md": "direct\n"}) if how == "pushed" else "0" * 40
    code, said = scene.deployed(commit if how != "of another repository" else "HEAD^{tree}")
    assert code in (1, 2) and ("is not the merge of a pull request" in said or "there is no commit" in said)
    assert scene.store.get_ref(DESIRED) is None


def test_the_head_itself_is_not_its_merge(scene: Scene, merge: str) -> None:
    code, said = scene.deployed(f"{merge}^2")
    assert code == 1 and "is not the merge of a pull request" in said


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_other_ways_to_merge_are_deployed_too(scene: Scene, crowns: Crowns, method: str) -> None:
    merge = scene.crowned(crowns.first, "first", method)
    code, said = scene.deployed(merge)
    assert code == 0 and served(scene)["commit"] == merge, said


def test_a_preview_is_not_deployed(scene: Scene) -> None:
    pull = scene.forked("mine", {SPEC: GOOD})
    scene.publish(scene.judged(scene.built(pull)))
    code, said = scene.deployed(scene.double.merge(NAME, pull.number))
    assert code == 1 and "is 'action_required'" in said


def test_without_places_that_outlive_the_job_nothing_is_deployed(scene: Scene, merge: str) -> None:
    token = scene.double.actions_token(NAME, DEPLOY_RIGHTS)
    code, said = scene.acts(
        "deploy", "--commit", merge, "--app", "1", repo=scene.desk(), token=token,
        environment={"ACTS_STORE": "", "ACTS_SERVING": ""},
    )  # fmt: skip
    assert code == 2 and "ACTS_STORE, ACTS_SERVING: not set" in said


def test_a_revert_serves_the_former_champion(
    scene: Scene, merge: str, second: Callable[[], str], health: list[str]
) -> None:
    newer = second()
    assert scene.deployed(merge)[0] == scene.deployed(newer)[0] == 0
    before = {path: scene.file(merge, path) for path in (LOCK, "models/tardy/spec.yaml")}
    pull = scene.pushed("take-back", before)
    scene.publish(scene.judged(scene.ran(pull)))
    assert scene.check(pull.head)["conclusion"] == "success", scene.comment(pull.number)
    reverted = scene.double.merge(NAME, pull.number)
    assert scene.deployed(reverted)[0] == 0
    assert served(scene)["models"]["tardy"]["lock"]["onnx"] in before[LOCK]


def test_a_champion_that_nobody_stands_for_is_not_deployed(scene: Scene, merge: str) -> None:
    shutil.rmtree(scene.storage / "ledger" / "provenance")
    code, said = scene.deployed(merge)
    assert code == 1 and "nobody stands for the bundle" in said
    assert scene.store.get_ref(DESIRED) is None
