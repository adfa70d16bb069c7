"""Waiting for servers: played by threads, and a real one."""

import threading
import time
from pathlib import Path

import pytest

from ci.main import main
from dagster_project.domain.deployment import DesiredState, ServedModel
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore
from tests.ci.deploying.deployed import LOCK, Acts, desired, lock_of
from tests.ci.players import all_live, rejection, report, server, serving
from tests.ci.workbench import MODEL, git, save


def test_it_waits_until_every_server_serves_it(acts: Acts, deployments: Deployments, repo: Path) -> None:
    def slow(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
        return all_live(state, turn) if turn > 14 else {MODEL: ServedModel()}

    with server(deployments, "a"), server(deployments, "b", slow):
        started = time.monotonic()
        code, output, _ = acts(wait=20)
    assert code == 0, output
    assert 0.7 < time.monotonic() - started < 10
    onnx = lock_of(repo).onnx[:19]
    assert f"server a (127.0.0.1:8080): {MODEL} {onnx}: live" in output
    assert f"server b (127.0.0.1:8080): {MODEL} {onnx}: not there yet" in output
    assert "Each of 2 servers serves it" in output


def test_a_canary_is_there_and_shown_with_its_answers(acts: Acts, deployments: Deployments, repo: Path) -> None:
    first = lock_of(repo, "first").onnx

    def canary(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
        return {MODEL: serving(state.models[MODEL].onnx, "canary", 7, live=first)} if state else {}

    with server(deployments, "a", canary):
        code, output, _ = acts(wait=10)
    assert code == 0 and f"in canary, 7 answers so far ({first[:19]} is live)" in output
    assert "rollouts go on by themselves" in output


def test_late_servers_are_named_with_their_error(acts: Acts, deployments: Deployments) -> None:
    def unable(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
        return {MODEL: ServedModel(error="the digest of model.onnx is wrong")}

    with server(deployments, "good"), server(deployments, "bad", unable):
        code, output, _ = acts(wait=1)
    assert code == 3
    assert "1 of 2 servers does not serve what is published" in output
    named = output.split("does not serve what is published")[1]
    assert "server bad" in named and "the digest of model.onnx is wrong" in named and "server good" not in named
    assert output.count("not there: the digest of model.onnx is wrong") == 2, "once while waiting, once at the end"


def test_a_withdrawn_model_that_is_still_live_is_waited_for(acts: Acts, deployments: Deployments, repo: Path) -> None:
    acts()
    onnx = lock_of(repo).onnx
    (repo / LOCK).unlink()
    save(repo, "no champion")
    with server(deployments, "a", lambda state, turn: {MODEL: serving(onnx)}):
        code, output, _ = acts(wait=0.7)
    assert code == 3 and "withdrawn, but still live" in output
    with server(deployments, "a"):
        assert acts(wait=10)[0] == 0


def test_a_server_that_rejects_meanwhile_ends_the_wait(acts: Acts, deployments: Deployments, repo: Path) -> None:
    acts("--commit", "first")
    first = lock_of(repo, "first").onnx

    def rejects(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
        if state and state.models[MODEL].onnx != first and turn == 12:
            deployments.reject(rejection(state, MODEL))
        return {MODEL: serving(first)}

    with server(deployments, "a", rejects):
        code, output, _ = acts(wait=20)
    assert code == 1, output
    assert "server a rejected" in output and "git revert" in output


def test_dead_servers_are_ignored_and_said(acts: Acts, deployments: Deployments, repo: Path) -> None:
    for number in range(7):
        deployments.report(report(f"dead{number}", None, {}, age=100 + number))
    code, output, _ = acts(wait=5)
    assert code == 0 and "No server is running" in output
    assert "7 servers without a fresh report: dead0 (100 s ago)" in output and "and 2 more" in output
    (repo / ".acts" / "serving" / "servers" / "half.json").write_text("{")
    code, _, error = acts(wait=1)
    assert code == 0 and error.count("half.json") == 1, "said once, not at every look"


def test_a_server_that_dies_meanwhile_is_no_success(acts: Acts, deployments: Deployments) -> None:
    deployments.report(report("dying", None, {MODEL: ServedModel()}, age=14))
    with server(deployments, "good"):
        code, output, _ = acts(wait=2.5)
    assert code == 3 and "server dying" in output and "has stopped reporting" in output


def test_another_deployment_meanwhile_ends_the_wait(acts: Acts, deployments: Deployments, repo: Path) -> None:
    acts("--commit", "first")
    other = desired(deployments)
    timer = threading.Timer(0.8, deployments.publish, args=(other,))
    deployments.report(report("slow", None, {}))
    timer.start()
    code, output, _ = acts(wait=10)
    timer.join()
    assert code == 3 and f"Commit {str(other.commit)[:12]} was deployed meanwhile" in output


@pytest.mark.slow
def test_a_real_server_follows_the_merge_and_the_revert(repo: Path, recorded: object, tmp_path: Path) -> None:
    import numpy as np
    import tritonclient.http as triton

    from dagster_project.inference.predictor import OnnxPredictor
    from dagster_project.storage.bundles import load_model
    from tests.serving.running import running

    store = ArtifactStore(Workspace(repo=repo).store)
    rows = {"miles": np.array([[3.0], [40.0]], np.float32), "carrier": np.array([["A"], ["A"]], object)}
    rows["seats"] = np.array([[3.0], [np.nan]], np.float32)

    def answered(host: str) -> tuple[str, np.ndarray]:
        inputs = []
        for name, column in rows.items():
            inputs.append(triton.InferInput(name, [2, 1], "BYTES" if column.dtype == object else "FP32"))
            inputs[-1].set_data_from_numpy(column)
        with triton.InferenceServerClient(host) as client:
            answer = client.infer(MODEL, inputs)
        return answer.get_response()["model_version"], answer.as_numpy("probabilities")

    def expected(lock: ChampionLock) -> tuple[str, np.ndarray]:
        manifest = load_manifest(store, lock.bundle)
        scores = OnnxPredictor(load_model(store, manifest), manifest).predict(rows).scores
        assert scores is not None
        return lock.onnx.removeprefix("sha256:")[:12], scores

    with running(repo) as server:
        for revision in ("first", "second", None):
            if revision is None:
                git(repo, "revert", "--no-edit", "HEAD")
            code = main(["deploy", "--repo", str(repo), "--wait", "30", "--commit", revision or "HEAD"])
            assert code == 0
            version, scores = answered(server.host)
            lock = lock_of(repo, revision or "HEAD")
            assert version == expected(lock)[0]
            np.testing.assert_allclose(scores, expected(lock)[1], atol=1e-6)
        assert lock_of(repo, "HEAD").onnx == lock_of(repo, "first").onnx
