"""Pages, ETags, faults, and what differs from GitHub's description."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.github import reduce
from tests.github.conformance import DOCUMENT, Answered, Asked, conformance
from tests.github.conftest import MODELS, Client
from tests.github.double import Double, github_double
from tests.github.exchange import ROUTES
from tests.github.operations import OPERATIONS, REPOSITORY


def test_pages_and_their_links(double: Double, gate: Client) -> None:
    for number in range(5):
        gate.post("labels", name=f"label {number}")
    first = gate.call("GET", "labels", params={"per_page": "2"})
    assert [one["name"] for one in first.json()] == ["label 0", "label 1"] and set(first.links) == {"next", "last"}
    third = requests.get(first.links["last"]["url"], timeout=10)
    assert [one["name"] for one in third.json()] == ["label 4"] and set(third.links) == {"prev", "first"}
    assert len(gate.get("labels")) == 5


def test_an_etag_saves_the_answer(gate: Client) -> None:
    tag = gate.call("GET", "").headers["ETag"]
    assert gate.call("GET", "", headers={"If-None-Match": tag}).status_code == 304
    gate.post("labels", name="x")
    assert gate.call("GET", "labels", headers={"If-None-Match": tag}).status_code == 200


def test_faults(double: Double, gate: Client) -> None:
    double.faults.next("GET", "/labels", status=502, times=2)
    assert [gate.call("GET", "labels").status_code for _ in range(3)] == [502, 502, 200]
    double.faults.rate_limited(4102444800)
    limited = gate.call("GET", "labels")
    assert (limited.status_code, limited.headers["x-ratelimit-remaining"]) == (403, "0")
    assert limited.headers["x-ratelimit-reset"] == "4102444800"
    double.faults.secondary_limit(7, "POST", status=429)
    assert gate.call("GET", "labels").status_code == 200
    limited = gate.call("POST", "labels", json={"name": "x"})
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert gate.get("labels") == [] and len(double.faults.met) == 4


def test_a_request_that_hangs(double: Double, gate: Client) -> None:
    double.faults.next("GET", "/labels", hang=1.0)
    start = time.monotonic()
    with pytest.raises(requests.ReadTimeout):
        gate.call("GET", "labels", timeout=0.2)
    assert gate.get("labels") == [] and time.monotonic() - start < 0.9


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_that_is_lost(double: Double, gate: Client, done: bool) -> None:
    double.faults.next("POST", "/labels", lost=True, done=done)
    with pytest.raises(requests.ConnectionError):
        gate.call("POST", "labels", json={"name": "x"})
    assert [one["name"] for one in gate.get("labels")] == (["x"] if done else [])


def test_a_request_that_does_not_fit_is_a_violation(double: Double, gate: Client) -> None:
    wrong = [
        ("POST", "check-runs", {"json": {"name": "no head"}}),
        ("POST", "check-runs", {"json": {"name": "v", "head_sha": "x", "conclusion": "excellent"}}),
        ("POST", "issues/1/labels", {"json": ["a"]}),
        ("POST", "labels", {"data": b"{"}),
        ("POST", "labels", {}),
        ("GET", "pulls", {"params": {"state": "opn"}}),
        ("GET", "pulls/one", {}),
    ]
    for method, path, more in wrong:
        assert gate.call(method, path, **more).status_code == 400, (path, more)
        assert double.violations, (path, more)
        double.violations.clear()
    for path in ("stargazers", "/api/v3/user", "issues"):
        assert gate.call("GET", path).status_code == 404
        assert "not played" in double.violations.pop()


def test_the_double_raises_at_its_end(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="GET /nothing"), github_double(tmp_path) as double:
        requests.get(f"{double.url}/nothing", timeout=10)


def test_an_answer_that_does_not_fit_is_seen() -> None:
    asked = Asked("get", f"{REPOSITORY}/labels/{{name}}", {"owner": "o", "repo": "r", "name": "n"}, [], b"")
    label = {"id": 1, "node_id": "x", "url": "https://x.org", "name": "n", "color": "f", "default": False}
    missing = conformance().answer(asked, Answered(200, json.dumps(label).encode(), "application/json"))
    assert missing == [".: 'description' is a required property (required)"]
    whole = json.dumps(label | {"description": None}).encode()
    assert conformance().answer(asked, Answered(200, whole, "application/json")) == []
    assert "no answer 418" in conformance().answer(asked, Answered(418, b"{}", "application/json"))[0]
    assert conformance().answer(asked, Answered(403, b"{}", "application/json")) != []


def test_every_operation_has_a_route_and_is_described() -> None:
    described = json.loads(DOCUMENT.read_text())["paths"]
    names = {tuple(line.replace("REPO", REPOSITORY).split()) for line in OPERATIONS}
    assert {(method.upper(), path) for path, item in described.items() for method in item} == names
    import tests.github.routes  # noqa: F401 - fills the table

    assert set(ROUTES) == names


def test_prose_goes_and_names_stay() -> None:
    schema = {"properties": {"description": {"type": "string", "description": "prose"}}, "x-note": 1, "title": "prose"}
    assert reduce._stripped(schema) == {"properties": {"description": {"type": "string"}}}
    assert reduce._stripped({"nullable": True, "enum": ["a"]})["enum"] == ["a", None]


def test_a_fault_of_the_double_itself_is_a_violation(
    double: Double, gate: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.github.views.label", None)
    assert gate.call("POST", "labels", json={"name": "x"}).status_code == 500
    assert "the double broke" in double.violations.pop()


def test_an_answer_of_the_double_that_does_not_fit_is_a_violation(
    double: Double, gate: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.github.views.label", lambda *_: {"name": "x"})
    assert gate.call("POST", "labels", json={"name": "x"}).status_code == 500
    assert len(double.violations) == 6 and "answer to POST" in double.violations[0]
    double.violations.clear()


def test_many_at_once(double: Double) -> None:
    token = double.user("octocat")
    double.push(MODELS, "topic", {"a.txt": "0"})
    double.open_pull(MODELS, "topic")

    def play(number: int) -> list[int]:
        client = Client(double.url, token)
        made = [client.post("issues/1/comments", body=f"{number} {count}")["id"] for count in range(5)]
        double.push(MODELS, "topic", {f"{number}.txt": "x"})
        assert client.get("pulls/1")["head"]["ref"] == "topic"
        client.session.close()
        return made

    with ThreadPoolExecutor(6) as pool:
        made = [one for ids in pool.map(play, range(6)) for one in ids]
    assert len(set(made)) == 30 == len(double.comments(MODELS, 1))
    assert double.pull(MODELS, 1)["commits"] == 7
    assert [one.action for one in double.webhook_events if one.name == "pull_request"] == [
        "opened",
        *["synchronize"] * 6,
    ]


def test_a_cleared_double_begins_again(double: Double, gate: Client) -> None:
    gate.post("labels", name="x")
    double.clear()
    assert (double.calls, double.webhook_events) == ([], [])
    assert gate.call("GET", "").status_code == 404
    double.create_repository(MODELS)
    assert gate.get("labels") == []
    gate.call("GET", "/nothing")
    with pytest.raises(AssertionError, match="GET /nothing"):
        double.clear()


def test_the_double_knows_nothing_of_what_it_tests() -> None:
    sources = Path(reduce.__file__).parent.rglob("*.py")
    found = [
        path.name for path in sources if re.search(r"^\s*(from|import) (ci|dagster_project)\b", path.read_text(), re.M)
    ]
    assert found == []


def test_calls_are_remembered(double: Double, gate: Client) -> None:
    gate.post("labels", name="x")
    last = double.calls[-1]
    assert (last.method, last.path, last.status) == ("POST", f"/repos/{MODELS}/labels", 201)
    assert (last.who, last.body) == ("gate[bot]", {"name": "x"})
