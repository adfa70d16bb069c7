"""Who may do what: 401, 404 and 403 as GitHub gives them."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.github.conftest import MODELS, Client
from tests.github.double import Double

Make = Callable[[str | None], Client]
SECRET = "acme/secret"


def test_a_wrong_token_is_401_and_no_token_reads_what_is_public(client: Make) -> None:
    assert client("ghp_nobody").call("GET", "").status_code == 401
    assert client(None).get("")["full_name"] == MODELS
    assert client(None).call("POST", "labels", json={"name": "x"}).status_code == 401


def test_a_private_repository_is_404_for_a_stranger(double: Double, client: Make) -> None:
    double.create_repository(SECRET, private=True)
    reader = double.user("reader", {SECRET: "read"})
    outside = double.installation_token("elsewhere", MODELS) if double.app("elsewhere", {}) else ""
    for token in (None, double.user("stranger"), outside):
        assert client(token).call("GET", f"/repos/{SECRET}").status_code == 404
    assert client(reader).get(f"/repos/{SECRET}")["permissions"]["push"] is False
    assert client(None).call("GET", "/repos/acme/nothing").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "check-runs", {"name": "verdict", "head_sha": "HEAD"}),
        ("POST", "statuses/HEAD", {"state": "success"}),
        ("POST", "git/blobs", {"content": "x"}),
        ("POST", "deployments", {"ref": "main"}),
        ("POST", "labels", {"name": "x"}),
        ("POST", "issues/1/comments", {"body": "x"}),
        ("POST", "rulesets", {"name": "x", "enforcement": "active"}),
    ],
)
def test_an_app_without_the_permission_is_403(
    double: Double, client: Make, method: str, path: str, body: dict[str, Any]
) -> None:
    head = double.push(MODELS, "topic", {"a.txt": "2"})
    double.open_pull(MODELS, "topic")
    double.app("weak", {"metadata": "read"})
    body = {key: head if value == "HEAD" else value for key, value in body.items()}
    for token in (double.installation_token("weak", MODELS), double.actions_token(MODELS, {"actions": "read"})):
        response = client(token).call(method, path.replace("HEAD", head), json=body)
        assert (response.status_code, response.json()["message"]) == (403, "Resource not accessible by integration")


def test_an_apps_token_is_for_its_repositories_only(double: Double, client: Make) -> None:
    double.create_repository("acme/other")
    double.app("strong", {"checks": "write", "contents": "write"})
    elsewhere = client(double.installation_token("strong", "acme/other"))
    assert elsewhere.call("POST", "git/blobs", json={"content": "x"}).status_code == 403
    elsewhere.post("/repos/acme/other/git/blobs", content="x")
    assert elsewhere.get("")["full_name"] == MODELS


def test_only_apps_write_check_runs(double: Double, admin: Client, actions: Client) -> None:
    head = double.head(MODELS)
    response = admin.call("POST", "check-runs", json={"name": "verdict", "head_sha": head})
    assert (response.status_code, response.json()["message"]) == (403, "You must authenticate via a GitHub App.")
    assert actions.post("check-runs", name="verdict", head_sha=head)["app"]["id"] == 15368


def test_people_by_level(double: Double, client: Make) -> None:
    double.push(MODELS, "topic", {"a.txt": "2"})
    number = double.open_pull(MODELS, "topic")
    stranger, writer = client(double.user("stranger")), client(double.user("writer", {MODELS: "write"}))
    stranger.post(f"issues/{number}/comments", body="anybody may")
    for path, body in (("labels", {"name": "x"}), (f"statuses/{double.head(MODELS)}", {"state": "success"})):
        assert stranger.call("POST", path, json=body).status_code == 403
        assert writer.call("POST", path, json=body).status_code == 201
    assert stranger.call("PUT", f"pulls/{number}/merge", json={}).status_code == 403
    assert writer.call("POST", "rulesets", json={"name": "x", "enforcement": "active"}).status_code == 403


def test_somebody_elses_comment_may_be_edited_by_writers_only(double: Double, client: Make, admin: Client) -> None:
    double.push(MODELS, "topic", {"a.txt": "2"})
    number = double.open_pull(MODELS, "topic")
    made = client(double.user("one")).post(f"issues/{number}/comments", body="mine")
    path = f"issues/comments/{made['id']}"
    assert client(double.user("other")).call("PATCH", path, json={"body": "x"}).status_code == 403
    assert client(double.user("other")).call("DELETE", path).status_code == 403
    assert admin.patch(path, body="moderated")["user"]["login"] == "one"


def test_permission_of_a_person(double: Double, gate: Client) -> None:
    double.user("keeper", {MODELS: "maintain"})
    double.user("stranger")
    answer = gate.get("collaborators/keeper/permission")
    assert (answer["permission"], answer["role_name"]) == ("write", "maintain")
    assert gate.get("collaborators/stranger/permission")["permission"] == "read"
    assert gate.call("GET", "collaborators/nobody/permission").status_code == 404
    assert gate.call("GET", "collaborators/keeper").status_code == 204
    assert gate.call("GET", "collaborators/stranger").status_code == 404


def signed(app: Any, seconds: int = 300, key: bytes = b"") -> str:
    """An App's JSON web token."""
    now = int(time.time())
    return jwt.encode({"iss": str(app.id), "iat": now - 5, "exp": now + seconds}, key or app.private_key, "RS256")


def test_an_app_gets_a_token_with_its_signature(double: Double, client: Make) -> None:
    app = double.app("gate", {"checks": "write", "contents": "read"})
    number = double.install("gate", MODELS).id
    mine, path = client(signed(app)), f"/app/installations/{number}/access_tokens"
    assert mine.get(f"/repos/{MODELS}/installation")["id"] == number
    assert mine.get("/app")["slug"] == "gate" and mine.get(f"/app/installations/{number}")["app_slug"] == "gate"
    token = mine.post(path, repositories=["models"], permissions={"checks": "write"})["token"]
    head = double.head(MODELS)
    client(token).post("check-runs", name="v", head_sha=head)
    assert client(token).call("POST", "git/blobs", json={"content": "x"}).status_code == 403
    assert mine.call("POST", path, json={"permissions": {"contents": "write"}}).status_code == 422
    assert mine.call("POST", path, json={"repositories": ["other"]}).status_code == 422
    for wrong in (signed(app, 3600), signed(app, -60), "abc", None):
        assert client(wrong).call("POST", path, json={}).status_code == 401
    assert client(signed(double.app("other", {}))).call("POST", path, json={}).status_code == 404


def test_who_a_token_is(double: Double, client: Make, gate: Client) -> None:
    assert client(double.user("alice")).get("/user")["login"] == "alice"
    assert gate.call("GET", "/user").status_code == 403
    assert gate.get("/users/gate[bot]")["type"] == "Bot"
    assert gate.get("/apps/gate")["slug"] == "gate"
    assert gate.get("/rate_limit")["rate"]["limit"] == 5000
