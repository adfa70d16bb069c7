"""Shadow, canary and what ends them, on a real server; tokens, rates, deadlines and full queues."""

import threading
import time
from pathlib import Path

import pytest

from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore
from tests.serving import served
from tests.serving.running import Server, running

Place = tuple[Path, ArtifactStore, str]
ROW = {"miles": [100.0], "seats": [2.0], "carrier": ["UA"]}
BOUNDS = {"answers": 20, "latency": "PT5S"}


def version(onnx: str) -> str:
    return onnx.removeprefix("sha256:")[:12]


def places(server: Server) -> dict[str, str]:
    """Version -> place."""
    found = server.call("/status")[1]["models"]["delays"]["versions"]
    return {version(each["onnx"]): each["place"] for each in found}


def test_a_shadow_answers_nobody_and_then_goes_live(place: Place) -> None:
    folder, store, writes = place
    old = served.desired(store, 3.0)
    rollout = {"shadow": {"share": 1.0, "answers": 60}, "bounds": BOUNDS}
    new = served.desired(store, 2.9, rollout=rollout)
    served.publish(store, writes, old)
    with running(folder) as server:
        server.wait()
        served.publish(store, writes, new)
        server.until(lambda: places(server).get(version(new.onnx)) == "shadow")
        answered = {server.infer(ROW)[1]["model_version"] for _ in range(50)}
        assert answered == {version(old.onnx)}
        server.until(lambda: server.infer(ROW)[1]["model_version"] == version(new.onnx))
        assert places(server) == {version(new.onnx): "live"}


def test_a_canary_gets_its_share_and_then_everything(place: Place) -> None:
    folder, store, writes = place
    old = served.desired(store, 3.0)
    new = served.desired(store, 2.9, rollout={"canary": {"share": 0.3, "answers": 100}, "bounds": BOUNDS})
    served.publish(store, writes, old)
    with running(folder) as server:
        server.wait()
        served.publish(store, writes, new)
        server.until(lambda: places(server).get(version(new.onnx)) == "canary")
        seen = [server.infer(ROW)[1]["model_version"] for _ in range(200)]
        assert 20 < seen.count(version(new.onnx)) < 110
        server.until(lambda: server.infer(ROW)[1]["model_version"] and len(places(server)) == 1)
        assert places(server) == {version(new.onnx): "live"}


@pytest.mark.parametrize("reads_more", [True, False])
def test_a_version_that_reads_other_columns_is_compared_too(place: Place, reads_more: bool) -> None:
    folder, store, writes = place
    rollout = {"shadow": {"share": 1.0, "answers": 60}, "bounds": BOUNDS}
    make = (served.without_seats, served.desired) if reads_more else (served.desired, served.without_seats)
    old, new = make[0](store, 3.0), make[1](store, 2.9, rollout=rollout)
    served.publish(store, writes, old)
    with running(folder) as server:
        server.wait()
        served.publish(store, writes, new)
        server.until(lambda: places(server).get(version(new.onnx)) == "shadow")
        server.until(lambda: server.infer({**ROW, "seats": [0.0]})[1]["model_version"] == version(new.onnx))
        assert places(server) == {version(new.onnx): "live"}


@pytest.mark.parametrize("stage", ["shadow", "canary"])
def test_one_that_disagrees_is_rejected_and_not_tried_again_until_the_lock_changes(place: Place, stage: str) -> None:
    folder, store, writes = place
    old = served.desired(store, 3.0)
    other = {"miles": [0.0], "seats": [-1.0], "carrier": ["UA"]}  # late with a bonus of 3, not with one of -3
    rollout = {stage: {"share": 0.5, "answers": 1000}, "bounds": BOUNDS}
    new = served.desired(store, -3.0, rollout=rollout)
    served.publish(store, writes, old)
    with running(folder) as server:
        server.wait()
        served.publish(store, writes, new)
        server.until(lambda: places(server).get(version(new.onnx)) == stage)
        server.until(lambda: server.infer(other)[0] == 200 and len(places(server)) == 1)
        assert places(server) == {version(old.onnx): "live"}
        server.until(lambda: Deployments(store, writes).rejections("delays"))  # written once it is out of the way
        (rejection,) = Deployments(store, writes).rejections("delays")
        assert rejection.onnx == new.onnx and rejection.place == stage and "disagree" in rejection.reason
        time.sleep(0.3)
        assert places(server) == {version(old.onnx): "live"}
        assert "rejected" in server.call("/status")[1]["models"]["delays"]["error"]
        again = new.model_copy(update={"lock": new.lock.model_copy(update={"commit": "d" * 40})})
        served.publish(store, writes, again)
        server.until(lambda: places(server).get(version(new.onnx)) == stage)


def test_a_server_that_starts_meanwhile_holds_the_trial_too(place: Place) -> None:
    folder, store, writes = place
    old = served.desired(store, 3.0)
    other = {"miles": [0.0], "seats": [-1.0], "carrier": ["UA"]}
    new = served.desired(store, -3.0, rollout={"canary": {"share": 0.5, "answers": 1000}, "bounds": BOUNDS})
    served.publish(store, writes, old)
    served.publish(store, writes, new)
    with running(folder) as server:
        server.wait()
        server.until(lambda: places(server) == {version(old.onnx): "live", version(new.onnx): "canary"})
        server.until(lambda: server.infer(other)[0] == 200 and len(places(server)) == 1)
    with running(folder) as server:
        server.wait()
        assert places(server) == {version(old.onnx): "live"}
        assert "rejected" in server.call("/status")[1]["models"]["delays"]["error"]


def test_going_back_waits_for_no_rollout(place: Place) -> None:
    folder, store, writes = place
    rollout = {"canary": {"share": 0.1, "answers": 100_000}}
    old = served.desired(store, 3.0, rollout=rollout)
    new = served.desired(store, 2.0, replaces=old.onnx, rollout=rollout)
    served.publish(store, writes, new)
    with running(folder) as server:
        server.wait()
        served.publish(store, writes, old)
        server.until(lambda: places(server) == {version(old.onnx): "live"}, 5)


def test_tokens_and_roles(place: Place) -> None:
    folder, store, writes = place
    served.publish(store, writes, served.desired(store))
    tokens = "infer:infer-infer-infer-infer,explain:explain-explain-explain"
    with running(folder, environment={"ACTS_TOKENS": tokens}) as server:
        server.wait()
        body = {"inputs": [{"name": "miles", "shape": [1], "datatype": "FP32", "data": [1.0]}]}

        def code(path: str, token: str = "") -> int:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            return server.call(path, body if path.startswith("/v2/models") else None, headers)[0]

        infer, explain = "/v2/models/delays/infer", "/v2/models/delays/explain"
        assert [code(infer), code(infer, "x" * 20), code(explain, "infer-infer-infer-infer")] == [401, 401, 403]
        assert [code(infer, "infer-infer-infer-infer"), code(explain, "explain-explain-explain")] == [200, 200]
        assert [code("/status"), code("/metrics"), code("/v2/health/ready"), code("/")] == [401, 401, 200, 200]
        assert "infer-infer" not in server.stderr.read_text()


def test_a_public_address_needs_tokens(place: Place) -> None:
    from dagster_project.domain.errors import UsageError
    from dagster_project.domain.workspace import Workspace
    from dagster_project.serving.server import Settings, serve

    with pytest.raises(UsageError, match="token"):
        serve(Settings(workspace=Workspace(repo=place[0]), host="0.0.0.0", port=0))


def test_a_caller_that_is_too_quick_is_slowed_down(place: Place) -> None:
    folder, store, writes = place
    served.publish(store, writes, served.desired(store))
    with running(folder, "--rate", "5") as server:
        server.wait()
        codes = [server.infer(ROW)[0] for _ in range(40)]
        assert 200 in codes and 429 in codes


def test_more_than_the_queue_holds_is_refused_and_nothing_is_lost(place: Place) -> None:
    folder, store, writes = place
    serving = {"queue_rows": 20_000, "batch_rows": 2_000, "deadline": "PT30S"}
    served.publish(store, writes, served.desired(store, **serving))
    with running(folder) as server:
        server.wait()
        found: list[tuple[int, str | None]] = []

        def client() -> None:
            body = {"inputs": [{"name": "miles", "shape": [8000], "datatype": "FP32", "data": [1.0] * 8000}]}
            for _ in range(5):
                status, _, headers = server.call("/v2/models/delays/infer", body)
                found.append((status, headers.get("retry-after")))

        threads = [threading.Thread(target=client) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {status for status, _ in found} <= {200, 429}
        assert all(retry for status, retry in found if status == 429)
        assert server.infer(ROW)[0] == 200


def test_a_request_that_is_too_old_is_not_answered(place: Place) -> None:
    folder, store, writes = place
    served.publish(store, writes, served.desired(store))
    with running(folder) as server:
        server.wait()
        status, answer = server.infer(ROW, parameters={"timeout": 1})
        assert status == 504 and "deadline" in answer["error"]
