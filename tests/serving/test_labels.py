"""Labels over HTTP to real servers: on the disk before the answer, each in the table once, from whom may say so."""

import http.client
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.domain.prediction import Ingested
from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.ingest import ingest
from dagster_project.monitoring.label_table import labels, received_labels
from dagster_project.monitoring.log_table import answers
from dagster_project.storage.store import ArtifactStore
from tests.disks import enlarge, small_disk
from tests.serving import served
from tests.serving.log_rows import segments
from tests.serving.running import Server, running

Place = tuple[Path, ArtifactStore, str]
PATH = "/v2/models/delays/labels"
ROW = "0198c0de-0000-7000-8000-{:012x}"
TOKENS = {"ACTS_TOKENS": "infer:infer-0123456789abc,label:label-0123456789abc"}


def label(number: int, said: Any = True, **more: Any) -> dict[str, Any]:
    return {"row_id": ROW.format(number), "label": said, **more}


def send(server: Server, *entries: Any, headers: dict[str, str] | None = None, **more: Any) -> tuple[int, Any]:
    return server.call(PATH, {"labels": entries, **more}, headers)[:2]


def take_in(workspace: Workspace) -> Ingested:
    return ingest(workspace.serving_log, workspace.warehouse)


def in_table(workspace: Workspace) -> pl.DataFrame:
    return labels(workspace.warehouse).sort("row_id", "received").collect()


@pytest.fixture
def deployed(place: Place) -> Workspace:
    """A place where the hand-made champion is to be served."""
    folder, store, writes = place
    served.publish(store, writes, served.desired(store, log={"flush": "PT0.1S"}))
    return Workspace(repo=folder)


def test_a_label_reaches_the_table_beside_the_answer_that_it_is_about(deployed: Workspace) -> None:
    with running(deployed.repo) as server:
        server.wait()
        row = {"miles": [10.0], "carrier": ["AA"], "ride": ["ride 7"]}
        (row_id,) = server.infer(row)[1]["parameters"]["row_ids"]
        before = datetime.now(UTC)
        told = {"row_id": row_id, "label": False, "known": "2026-03-31T14:00+02:00"}
        status, answer = send(server, told, {"id": "ride 7", "label": "true"})
        assert (status, answer["model_name"], len(answer["events"])) == (200, "delays", 2)
        assert 'acts_labels_total{model="delays"} 2.0' in server.call("/metrics")[1].decode()
    assert take_in(deployed).labels == 2
    natural, by_id = labels(deployed.warehouse).sort("label").collect().rows(named=True)
    assert [row["event"] for row in (natural, by_id)] == answer["events"]
    assert natural | {
        "model": "delays", "row_id": row_id, "id": None, "label": "false", "value": None, "kind": "natural",
        "source": "client", "who": None, "audit": None,
    } == natural  # fmt: skip
    assert natural["known"] == datetime(2026, 3, 31, 12, tzinfo=UTC) and natural["day"] == natural["received"].date()
    assert before <= natural["received"] <= datetime.now(UTC) and by_id["known"] == by_id["received"]
    (logged,) = answers(deployed.warehouse).collect().rows(named=True)
    assert (logged["row_id"], logged["id"]) == (row_id, by_id["id"])


def test_a_restricted_id_is_hashed_as_the_log_hashes_it(place: Place) -> None:
    folder, store, writes = place
    model = served.desired(store, log={"flush": "PT0.1S"}).model_copy(update={"id_restricted": True})
    served.publish(store, writes, model)
    with running(folder) as server:
        server.wait()
        server.infer({"miles": [10.0], "ride": ["ride 7"]})
        assert send(server, {"id": "ride 7", "label": True})[0] == 200
    workspace = Workspace(repo=folder)
    take_in(workspace)
    (told,), (logged,) = in_table(workspace)["id"], answers(workspace.warehouse).collect()["id"]
    assert told == logged and len(told) == 32 and "ride" not in told


def test_what_was_answered_200_survives_kill_9_and_comes_once(deployed: Workspace) -> None:
    sent = 0
    for _ in range(2):
        with running(deployed.repo) as server:
            server.wait()
            for _ in range(20):
                assert send(server, label(sent), label(sent + 1, False))[0] == 200
                sent += 2
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
    assert take_in(deployed).labels == sent and take_in(deployed) == Ingested()
    assert in_table(deployed)["row_id"].to_list() == [ROW.format(number) for number in range(sent)]
    assert received_labels(deployed.warehouse).collect().height == sent
    assert segments(deployed.serving_labels) == []


def test_a_request_sent_again_to_another_server_is_the_same_label(deployed: Workspace) -> None:
    with running(deployed.repo) as first, running(deployed.repo) as second:
        for server in (first, second):
            server.wait()
        once = [label(1), label(2, known="2026-03-31"), label(3, event="mine")]
        events = [send(server, *once)[1]["events"] for server in (first, second, first)]
        assert events[0] == events[1] == events[2]
        take_in(deployed)
        assert send(second, label(1, False))[0] == 200  # a correction
        with ThreadPoolExecutor(8) as pool:
            statuses = pool.map(lambda n: send((first, second)[n % 2], label(100 + n))[0], range(40))
        assert set(statuses) == {200}
    take_in(deployed)
    found = in_table(deployed)
    assert found.filter(pl.col("row_id") < ROW.format(100)).select("row_id", "label").rows() == [
        (ROW.format(1), "true"), (ROW.format(1), "false"), (ROW.format(2), "true"), (ROW.format(3), "true"),
    ]  # fmt: skip
    assert found["event"].n_unique() == len(found) == 44 and received_labels(deployed.warehouse).collect().height == 50


def test_a_wrong_label_keeps_the_whole_request_out(deployed: Workspace) -> None:
    with running(deployed.repo) as server:
        server.wait()
        status, wrong = send(server, label(1), label(2, "maybe"), {"row_id": "x", "label": True})
        assert status == 400 and [line[:9] for line in wrong["error"].splitlines()] == ["labels[1]", "labels[2]"]
        assert server.call("/v2/models/nobody/labels", {"labels": [label(1)]})[0] == 404
        assert server.call(PATH)[0] == 405
        version = server.call("/v2/models/delays")[1]["versions"][0]
        assert server.call(f"/v2/models/delays/versions/{version}/labels", {"labels": [label(1)]})[0] == 404
    assert take_in(deployed).labels == 0 and labels(deployed.warehouse).collect().is_empty()


def test_who_labels_needs_the_role_and_is_known_by_the_token(deployed: Workspace) -> None:
    may, may_not = ({"authorization": f"Bearer {role}-0123456789abc"} for role in ("label", "infer"))
    with running(deployed.repo, environment=TOKENS) as server:
        server.until(lambda: server.call("/v2/health/ready")[0] == 200)
        assert send(server, label(1))[0] == 401
        status, refused = send(server, label(1), headers=may_not)
        assert status == 403 and "the role label" in refused["error"]
        assert server.call("/v2/models/delays/infer", {"inputs": []}, may)[0] == 403
        assert send(server, label(1), headers=may, review=True, who="somebody else")[0] == 400
        assert send(server, label(1), headers=may, review=True)[0] == 200
        assert send(server, label(2), headers=may)[0] == 200
    take_in(deployed)
    assert in_table(deployed).select("kind", "source", "who").rows() == [
        ("human", "review", "ACTS_TOKENS[2]"), ("natural", "client", "ACTS_TOKENS[2]"),
    ]  # fmt: skip


def test_a_page_of_another_site_can_t_label(server: Server) -> None:
    """A browser lets it send; without tokens nothing but its origin tells who it is."""
    own = {"content-type": "text/plain", "origin": server.url}
    assert send(server, label(1), headers=own)[0] == 200
    for origin, host in (("https://evil.example", None), ("null", None), ("http://evil.example", "evil.example")):
        headers = {"origin": origin} | ({"host": host} if host else {})
        status, refused = send(server, label(2), headers=headers)
        assert status == 403 and "another site" in refused["error"]
    for odd in ("[", "", "[::1", ":::"):
        assert status_with(server, {"Host": odd, "Origin": f"http://{odd}"}) == 403


def status_with(server: Server, headers: dict[str, str]) -> int:
    """Of a label with headers that urllib would not send."""
    connection = http.client.HTTPConnection(server.host, timeout=10)
    body = json.dumps({"labels": [label(2)]}).encode()
    connection.putrequest("POST", PATH, skip_host=True)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status


def test_ten_thousand_labels_of_one_request_are_one_commit(deployed: Workspace) -> None:
    with running(deployed.repo) as server:
        server.wait()
        status, answer = send(server, *(label(number, bool(number % 2)) for number in range(10_000)))
        assert status == 200 and len(set(answer["events"])) == 10_000
        assert send(server, *(label(number) for number in range(10_001)))[0] == 400
        assert take_in(deployed).labels == 10_000  # of a server that goes on
    assert in_table(deployed)["label"].value_counts(sort=True)["count"].to_list() == [5_000, 5_000]


def test_nobody_hears_200_while_the_disk_hangs_and_answers_go_on(deployed: Workspace, tmp_path: Path) -> None:
    hangs = tmp_path / "hangs"
    module = "tests.serving.hanging_disk"
    with running(deployed.repo, module=module, environment={"HANGS_WHILE": str(hangs)}) as server:
        server.wait()
        hangs.touch()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(send, server, label(1))
            for _ in range(20):
                assert server.infer({"miles": [1.0]})[0] == 200
            assert not waiting.done()
            hangs.unlink()
            assert waiting.result(10)[0] == 200


@pytest.mark.slow
def test_a_full_disk_is_said_and_what_is_sent_again_counts_once(deployed: Workspace, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        environment = {"ACTS_SERVING_LOG": str(disk / "log")}
        with running(deployed.repo, environment=environment) as server:
            server.wait()
            many = [label(number) for number in range(1_000)]
            status, answer, headers = server.call(PATH, {"labels": many})
            assert (
                status == 503 and "send them again" in answer["error"] and "retry-after" in {k.lower() for k in headers}
            )
            assert server.infer({"miles": [1.0]})[0] == 200
            enlarge(disk, "10m")
            assert send(server, *many)[0] == 200
        ingest(disk / "log", deployed.warehouse)
    assert in_table(deployed).height == received_labels(deployed.warehouse).collect().height == 1_000
