"""The double through github3.py, which reads every field that GitHub documents."""

from collections.abc import Iterator
from pathlib import Path

import github3
import pytest
from github3.session import GitHubSession

from tests.github.double import Double, github_double

MODELS = "acme/models"


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    """With one repository."""
    with github_double(tmp_path / "github") as double:
        double.create_repository(MODELS, files={"a.txt": "one\n", "b/c.txt": "two\n"})
        yield double


def client(double: Double, token: str, app: bool = False) -> github3.GitHub:
    """github3 as somebody."""
    session = GitHubSession()
    session.base_url = double.url
    if app:
        session.app_installation_token_auth({"token": token, "expires_at": "2099-01-01T00:00:00Z"})
        return github3.GitHub(session=session)
    return github3.GitHub(token=token, session=session)


def test_a_pull_request_from_a_fork_and_its_parts(double: Double) -> None:
    double.fork(MODELS, "stranger")
    double.push("stranger/models", "mine", {"a.txt": "one\nmore\n"}, by="stranger")
    token = double.user("stranger")
    repository = client(double, token).repository("acme", "models")
    repository.create_pull("Title", "main", "stranger:mine", "Text")
    pull = repository.pull_request(1)
    assert pull.number == 1 and pull.commits_count == 1 and pull.mergeable
    assert [(one.filename, one.status, one.additions_count) for one in pull.files()] == [("a.txt", "modified", 1)]
    assert [one.message for one in pull.commits()] == ["Change"]
    before = pull.head.sha
    after = double.push("stranger/models", "mine", {"new.txt": "x"}, by="stranger")
    assert repository.pull_request(1).head.sha == after != before
    assert [event.action for event in double.webhook_events if event.name == "pull_request"] == [
        "opened",
        "synchronize",
    ]
    comment = repository.issue(1).create_comment("hello")
    comment.edit("hello again")
    assert [one.body for one in repository.pull_request(1).issue_comments()] == ["hello again"]


def test_check_runs_by_an_app(double: Double) -> None:
    double.app("gate", {"checks": "write", "statuses": "write", "deployments": "write", "contents": "write"})
    token = double.installation_token("gate", MODELS)
    repository = client(double, token, app=True).repository("acme", "models")
    head = double.head(MODELS)
    run = repository.create_check_run("verdict", head, output={"title": "t", "summary": "s", "annotations": []})
    assert run.status == "queued" and run.app.id == double.world.apps["gate"].id
    notes = [
        {"path": "a.txt", "start_line": n, "end_line": n, "annotation_level": "notice", "message": "m"}
        for n in range(50)
    ]
    run.update(conclusion="success", status="completed", output={"title": "t", "summary": "s", "annotations": notes})
    found = list(repository.commit(head).check_runs())
    assert [(one.name, one.conclusion) for one in found] == [("verdict", "success")]
    assert len(list(found[0].output.annotations())) == 50
    repository.create_status(head, "success", context="ci")
    deployment = repository.create_deployment("main", environment="production", payload={"digest": "x"})
    deployment.create_status("success", description="done")
    assert [one.state for one in deployment.statuses()] == ["success"]
