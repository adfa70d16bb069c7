"""The locks of a commit become what is published; servers are played by threads."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from ci.session import open_head
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore
from tests.ci.deploying.deployed import LOCK, Acts, contents, desired, lock_of, rows
from tests.ci.players import report, server, serving
from tests.ci.workbench import GOOD, MODEL, SPEC, change, git, save
from tests.trees import edited


def test_the_locks_of_the_commit_become_the_desired_state(
    repo: Path, acts: Acts, deployments: Deployments, recorded: list[Any]
) -> None:
    code, output, _ = acts(wait=5)
    assert code == 0, output
    state = desired(deployments)
    assert state.commit == git(repo, "rev-parse", "HEAD")
    assert {name: model.lock for name, model in state.models.items()} == {MODEL: lock_of(repo)}
    assert [entry.name for entry in state.models[MODEL].inputs] == ["miles", "carrier", "seats"]
    assert state.models[MODEL].owners == ("rides-team",) and state.models[MODEL].id_column == "ride"
    assert "new: logistic_regression" in output and "No server is running" in output
    (row,) = rows(repo)
    expected = {"commit": state.commit, "digest": state.content_digest(), "previous": None, "withdrawn": []}
    assert {**expected, "models": {MODEL: lock_of(repo).onnx}}.items() <= row.items()
    assert recorded == [(lock_of(repo), True)]


def test_a_bundle_without_examples_is_not_deployed(repo: Path) -> None:
    from ci.deploying.desired import Evidence, desired_state
    from dagster_project.domain.bundle import REFERENCE

    head, store = open_head(repo)[1], ArtifactStore(Workspace(repo=repo).store)
    manifest = load_manifest(store, lock_of(repo).bundle)
    files = {name: entry for name, entry in manifest.files.items() if name != REFERENCE}
    evidence = Evidence(manifest=manifest.model_copy(update={"files": files}))
    state, obstacles = desired_state("c" * 40, head, {MODEL: evidence})
    assert MODEL not in state.models and any("no reference.json" in obstacle.message for obstacle in obstacles)


def test_the_working_folder_is_never_read(repo: Path, acts: Acts, deployments: Deployments) -> None:
    change(repo, LOCK, "no: lock\n")
    change(repo, SPEC, "nonsense: [")
    change(repo, "models/other/spec.yaml", "x")
    assert acts()[0] == 0
    assert desired(deployments).models[MODEL].lock == lock_of(repo)


def test_a_bare_repository_can_be_deployed(
    repo: Path, acts: Acts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    monkeypatch.setenv("ACTS_STORE", Workspace(repo=repo).store)
    code, output, _ = acts(where=tmp_path / "bare.git")
    assert code == 0 and "Published as" in output


def test_the_same_state_again_writes_nothing_but_still_waits(
    repo: Path, acts: Acts, deployments: Deployments, recorded: list[Any]
) -> None:
    acts()
    before = contents(repo / ".acts")
    code, output, _ = acts()
    assert code == 0 and "Nothing to publish" in output
    assert contents(repo / ".acts") == before and len(rows(repo)) == len(recorded) == 1
    deployments.report(report("a", None, {}))
    assert acts(wait=0.2)[0] == 3


def test_another_commit_with_the_same_locks_is_published_without_news_for_dagster(
    repo: Path, acts: Acts, deployments: Deployments, recorded: list[Any]
) -> None:
    acts()
    change(repo, SPEC, edited(GOOD, ("owners: [rides-team]", "owners: [other-team]")))
    commit = save(repo, "new owners")
    code, output, _ = acts()
    assert code == 0 and "served differently: owners" in output
    assert desired(deployments).commit == commit and desired(deployments).models[MODEL].owners == ("other-team",)
    assert len(rows(repo)) == 2 and len(recorded) == 1


def test_reverting_the_lock_rolls_back(repo: Path, acts: Acts, deployments: Deployments, recorded: list[Any]) -> None:
    first, second = lock_of(repo, "first"), lock_of(repo, "second")
    assert first.onnx != second.onnx and second.replaces == first.onnx
    acts("--commit", "first")
    acts()
    assert desired(deployments).models[MODEL].lock == second
    git(repo, "revert", "--no-edit", "HEAD")
    code, output, _ = acts()
    assert code == 0 and "champion:" in output
    assert desired(deployments).models[MODEL].lock == first
    assert [row["models"][MODEL] for row in rows(repo)] == [first.onnx, second.onnx, first.onnx]
    assert [row["previous"] for row in rows(repo)] == [None, *(row["digest"] for row in rows(repo)[:2])]
    assert [lock for lock, _ in recorded] == [first, second, first]


def test_an_older_commit_is_a_rollback_and_said(repo: Path, acts: Acts, deployments: Deployments) -> None:
    acts()
    newer = git(repo, "rev-parse", "HEAD")[:12]
    code, output, _ = acts("--commit", "first")
    older = git(repo, "rev-parse", "first")[:12]
    assert code == 0 and f"Commit {older} is older than the published {newer}: this rolls back." in output
    assert desired(deployments).models[MODEL].lock == lock_of(repo, "first")
    assert "older" not in acts()[1]


def test_a_model_without_its_lock_is_withdrawn(repo: Path, acts: Acts, deployments: Deployments) -> None:
    acts()
    (repo / LOCK).unlink()
    save(repo, "no champion")
    code, output, _ = acts()
    assert code == 0 and "withdrawn" in output and "serves 0 models" in output
    assert desired(deployments).models == {}
    assert rows(repo)[-1]["withdrawn"] == [MODEL] and rows(repo)[-1]["models"] == {}


def test_a_dry_run_shows_both_differences_and_writes_nothing(repo: Path, acts: Acts, deployments: Deployments) -> None:
    code, output, _ = acts("--dry-run")
    assert code == 0 and "Nothing is published yet." in output
    assert deployments.desired() is None
    acts("--commit", "first")
    first, second = lock_of(repo, "first").onnx, lock_of(repo).onnx
    published = deployments.desired()
    assert published is not None
    deployments.report(report("a", published[0], {MODEL: serving(first)}))
    canary = serving(first, "canary", 120, live=second)
    deployments.report(report("b", None, {MODEL: canary, "old": serving(first)}))
    deployments.report(report("c", None, {}, age=100))
    before = contents(repo / ".acts")
    code, output, _ = acts("--dry-run")
    assert code == 0 and contents(repo / ".acts") == before
    lines = [" ".join(line.split()) for line in output.splitlines()]
    short, other = first[:19], second[:19]
    assert f"{MODEL} {short} {other} champion: logistic_regression → logistic_regression" in lines
    assert f"a {MODEL} {short} {short} live" in lines
    assert f"b {MODEL} {short} {other} in canary, 120 answers so far; has not seen what is published" in lines
    assert f"b old - {short} withdrawn, but still live; has not seen what is published" in lines
    assert any("taken for dead: 1 server" in line and "c (100 s ago)" in line for line in lines)
    answer = json.loads(acts("--dry-run", "--json")[1])
    assert answer["outcome"] == "compared" and answer["live"]["servers"][0]["server"] == "a"
    assert answer["changes"][0]["published"] == first and answer["changes"][0]["commit"] == second
    assert contents(repo / ".acts") == before


def test_a_dry_run_of_a_refused_commit_says_so(repo: Path, acts: Acts, deployments: Deployments) -> None:
    change(repo, LOCK, edited((repo / LOCK).read_text(), ("# Written", "# Rewritten")))
    save(repo, "by hand")
    code, output, _ = acts("--dry-run")
    assert code == 1 and "it was edited by hand" in output and deployments.desired() is None


def test_machines_get_one_json_document(acts: Acts, deployments: Deployments, repo: Path) -> None:
    with server(deployments, "a"):
        code, output, _ = acts("--json", wait=10)
    answer = json.loads(output)
    assert code == answer["exit_code"] == 0 and answer["outcome"] == "served" and answer["written"] is True
    assert answer["watch"]["fleet"]["servers"][0]["models"][0]["place"] == "live"
    assert answer["digest"] == desired(deployments).content_digest()


def test_what_dagster_was_not_told_is_broken_but_published(
    acts: Acts, deployments: Deployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_project.domain.errors import MachineryError

    def fails(*_: object, **__: object) -> None:
        raise MachineryError("recording ended with exit code 3.")

    monkeypatch.setattr("ci.deploying.publishing.record", fails)
    code, output, _ = acts()
    assert code == 3 and "Published, but Dagster was not told: recording ended" in output
    assert deployments.desired() is not None


def test_two_deployments_at_once_leave_one_of_the_states_whole(
    repo: Path, deployments: Deployments, recorded: list[Any]
) -> None:
    from ci.deploying.console import Console
    from ci.deploying.run import deploy

    revisions = ["first", "second"] * 3
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda r=r: done.append(deploy(repo, r, 0, Console(quiet=True)).exit_code))
        for r in revisions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [0] * len(revisions)
    state = desired(deployments)
    tag = "first" if state.commit == git(repo, "rev-parse", "first") else "second"
    assert state.commit == git(repo, "rev-parse", tag) and state.models[MODEL].lock == lock_of(repo, tag)


@pytest.mark.slow
def test_dagster_shows_the_deployment(repo: Path) -> None:
    """In processes of their own: the lock becomes the model's ``deployment`` asset."""
    import dagster as dg

    from dagster_project.factories.instance import open_instance
    from tests.ci.test_pull_requests import acts as process

    done = process(repo, "deploy", "--wait", "1")
    assert done.returncode == 0, done.stderr
    with open_instance(Workspace(repo=repo)) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey([MODEL, "deployment"]))
    assert event is not None and event.asset_materialization is not None
    assert event.asset_materialization.metadata["onnx"].value == lock_of(repo).onnx
