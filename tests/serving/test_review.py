"""What people are asked next, over HTTP from real servers; what they did is known to every server."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dagster_project.domain.review import SKIPS
from dagster_project.domain.workspace import Workspace
from dagster_project.monitoring.ingest import ingest
from dagster_project.monitoring.label_table import labels
from dagster_project.storage.store import ArtifactStore
from tests.serving import served
from tests.serving.review_queues import publish, row, row_id
from tests.serving.running import Server, running

Place = tuple[Path, ArtifactStore, str]
PATH = "/v2/models/delays/review"


def asked(server: Server, who: str = "ann", **more: Any) -> Any:
    status, answer, _ = server.call(f"{PATH}?who={who}", **more)
    assert status == 200, answer
    return answer


def numbers(server: Server, who: str = "ann") -> set[int]:
    return {int(row["row_id"][-12:], 16) for row in asked(server, who)["rows"]}


def label(server: Server, number: int, said: Any, who: str = "ann") -> None:
    body = {"labels": [{"row_id": row_id(number), "label": said}], "review": True, "who": who}
    assert server.call("/v2/models/delays/labels", body)[0] == 200


def skip(server: Server, number: int, who: str = "ann") -> tuple[int, Any]:
    return server.call(PATH, {"skip": row_id(number), "who": who})[:2]


@pytest.fixture
def deployed(place: Place) -> Workspace:
    folder, store, serving = place
    served.publish(store, serving, served.desired(store))
    return Workspace(repo=folder)


def test_who_labels_is_given_rows_and_told_neither_answer_nor_audit(deployed: Workspace) -> None:
    with running(deployed.repo) as server:
        server.wait()
        assert asked(server)["rows"] == [] and server.call("/v2/review")[1] == {"models": ["delays"]}
        publish(deployed.serving, row(1, audit=True), row(2), row(3))
        found = asked(server)
        assert {key: found[key] for key in ("model_name", "who", "classes", "question", "left", "labelled")} == {
            "model_name": "delays", "who": "ann", "classes": ["false", "true"], "question": "Was the flight late?",
            "left": 3, "labelled": 0,
        }  # fmt: skip
        assert {tuple(sorted(row)) for row in found["rows"]} == {("at", "row_id", "shown")}
        described = server.call("/openapi.json")[1]["paths"][PATH]["get"]["responses"]["200"]["content"]
        jsonschema.validate(found, described["application/json"]["schema"])
        nameless = server.call(PATH)[1]
        assert (nameless["who"], nameless["rows"], nameless["left"]) == (None, [], 3)


def test_a_labelled_row_is_over_and_the_label_says_who_and_whether_it_was_drawn(deployed: Workspace) -> None:
    publish(deployed.serving, row(1, audit=True), row(2), row(3, wanted=2), row(4, wanted=2, people=("cy",)))
    with running(deployed.repo) as server, running(deployed.repo) as other:
        server.wait()
        other.wait()
        for number in (1, 2, 3):
            label(server, number, True)
        label(server, 9, False)  # asked about no more, and kept
        for each in (server, other):
            assert numbers(each) == {4} and numbers(each, "bob") == {3, 4} and numbers(each, "cy") == {3}
        label(other, 3, False, "bob")
        assert numbers(server, "dee") == {4} and asked(server)["labelled"] == 3
    ingest(deployed.serving_log, deployed.warehouse)
    found = labels(deployed.warehouse).select("row_id", "label", "kind", "source", "who", "audit").collect().rows()
    assert sorted(found, key=str) == [
        (row_id(1), "true", "human", "review", "ann", True), (row_id(2), "true", "human", "review", "ann", False),
        (row_id(3), "false", "human", "review", "bob", False), (row_id(3), "true", "human", "review", "ann", False),
        (row_id(9), "false", "human", "review", "ann", None),
    ]  # fmt: skip


def test_a_row_that_two_skip_is_dropped(deployed: Workspace) -> None:
    publish(deployed.serving, row(1), row(2))
    with running(deployed.repo) as server:
        server.wait()
        assert skip(server, 1)[0] == 200
        assert numbers(server) == {2} and numbers(server, "bob") == {1, 2}
        assert skip(server, 1, "bob")[0] == 200 and SKIPS == 2
        assert numbers(server, "cy") == {2}
        label(server, 1, True)  # ann thinks again: one person skipped it, and one label is all it wants
        assert numbers(server, "cy") == {2}
        assert skip(server, 7)[0] == 400 and "nobody is asked about" in skip(server, 7)[1]["error"]


def test_a_new_queue_is_seen_and_two_people_begin_at_different_ends(deployed: Workspace) -> None:
    publish(deployed.serving, *(row(number) for number in range(60)))
    with running(deployed.repo) as server:
        server.wait()
        first, second = numbers(server), numbers(server, "bob")
        assert len(first) == len(second) == 20 and len(first & second) < 15
        publish(deployed.serving, row(100))
        assert numbers(server) == {100}


@pytest.mark.parametrize(
    ("query", "words"),
    [("?who=", "who ''"), ("?name=x", "who=NAME"), ("?who=a&who=b", "once"), ("?who=%ff", "UTF-8")],
)
def test_a_wrong_question_is_said(server: Server, query: str, words: str) -> None:
    status, answer, _ = server.call(PATH + query)
    assert status == 400 and words in answer["error"]


def test_wrong_skips_and_methods_are_said(server: Server) -> None:
    for body in ({"skip": 3, "who": "a"}, {"skip": row_id(1)}, [], {"skip": row_id(1), "who": "a", "why": "so"}, b"{"):
        assert server.call(PATH, body)[0] == 400
    status, _, headers = server.call(PATH, method="DELETE")
    assert status == 405 and {k.lower(): v for k, v in headers.items()}["allow"] == "GET, POST"
    assert server.call("/v2/models/nobody/review")[0] == 404
    version = server.call("/v2/models/delays")[1]["versions"][0]
    assert server.call(f"/v2/models/delays/versions/{version}/review")[0] == 404
    assert server.call(PATH, headers={"origin": "https://evil.example"})[0] == 403


def test_a_token_says_who_it_is_and_must_have_the_role(deployed: Workspace) -> None:
    publish(deployed.serving, row(1))
    may, may_not = ({"authorization": f"Bearer {role}-0123456789abc"} for role in ("label", "infer"))
    tokens = {"ACTS_TOKENS": "infer:infer-0123456789abc,label:label-0123456789abc"}
    with running(deployed.repo, environment=tokens) as server:
        server.wait()
        for path in (PATH, "/v2/review"):
            assert server.call(path)[0] == 401 and server.call(path, headers=may_not)[0] == 403
        assert server.call("/review")[0] == 200
        found = server.call(PATH, headers=may)[1]
        assert found["who"] == "ACTS_TOKENS[2]" and found["left"] == 1
        assert server.call(f"{PATH}?who=bob", headers=may)[0] == 400
        assert server.call(PATH, {"skip": row_id(1), "who": "bob"}, may)[0] == 400
        assert server.call(PATH, {"skip": row_id(1)}, may)[0] == 200


def test_a_queue_that_can_t_be_read_is_a_503_and_labels_are_kept(deployed: Workspace) -> None:
    publish(deployed.serving, row(1)).publish(b"{}")
    with running(deployed.repo) as server:
        server.wait()
        status, answer, _ = server.call(f"{PATH}?who=ann")
        assert status == 503 and "log says why" in answer["error"]
        assert "not of this version" in server.stderr.read_text()
        label(server, 1, True)
    assert ingest(deployed.serving_log, deployed.warehouse).labels == 1
