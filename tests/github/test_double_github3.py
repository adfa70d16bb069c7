"""The double through github3.py, which reads every field that GitHub documents."""

import github3
from github3.session import GitHubSession

from tests.github.double import Double

MODELS = "acme/models"


def connect(double: Double, token: str, app: bool = False) -> github3.GitHub:
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
    repository = connect(double, double.user("stranger")).repository("acme", "models")
    repository.create_pull("Title", "main", "stranger:mine", "Text")
    pull = repository.pull_request(1)
    assert (pull.number, pull.commits_count, pull.mergeable, pull.body_text) == (1, 1, True, "Text")
    assert [(one.filename, one.status, one.additions_count) for one in pull.files()] == [("a.txt", "modified", 1)]
    assert [one.message for one in pull.commits()] == ["Change"]
    after = double.push("stranger/models", "mine", {"new.txt": "x"}, by="stranger")
    assert repository.pull_request(1).head.sha == after != pull.head.sha
    assert [one.number for one in repository.pull_requests(head="stranger:mine")] == [1]
    assert b"+more" in pull.diff()


def test_comments_labels_and_reviews(double: Double) -> None:
    double.push(MODELS, "topic", {"a.txt": "2"})
    double.open_pull(MODELS, "topic", by="octocat")
    repository = connect(double, double.user("rev", {MODELS: "write"})).repository("acme", "models")
    comment = repository.issue(1).create_comment("hello")
    comment.edit("hello again")
    assert [one.body for one in repository.pull_request(1).issue_comments()] == ["hello again"]
    repository.create_label("gates:loosened", "ff0000", "Gates are looser")
    assert [one.name for one in repository.labels()] == ["gates:loosened"]
    assert repository.label("gates:loosened").color == "ff0000"
    review = repository.pull_request(1).create_review("good", event="APPROVE")
    assert [one.state for one in repository.pull_request(1).reviews()] == ["APPROVED"] and review.body == "good"
    assert not repository.pull_request(1).is_merged()
    assert repository.pull_request(1).merge("message", sha=double.head(MODELS, "topic"))
    assert repository.pull_request(1).is_merged()


def test_check_runs_statuses_and_deployments_of_an_app(double: Double) -> None:
    app = double.app("gate", {"checks": "write", "statuses": "write", "deployments": "write"})
    hub = connect(double, double.installation_token("gate", MODELS), app=True)
    repository, head = hub.repository("acme", "models"), double.head(MODELS)
    run = repository.create_check_run("verdict", head, output={"title": "t", "summary": "s", "annotations": []})
    assert (run.status, run.app.id) == ("queued", app.id)
    note = {"path": "a.txt", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
    run.update(conclusion="success", status="completed", output={"title": "t", "summary": "s", "annotations": [note]})
    found = list(repository.commit(head).check_runs())
    assert [(one.name, one.conclusion) for one in found] == [("verdict", "success")]
    assert [one.message for one in found[0].output.annotations()] == ["m"]
    repository.create_status(head, "success", context="ci")
    deployment = repository.create_deployment("main", environment="production", payload={"digest": "x"})
    deployment.create_status("success", description="done")
    assert [one.state for one in deployment.statuses()] == ["success"]
    assert [one.payload for one in repository.deployments()] == [{"digest": "x"}]


def test_git_data_makes_real_objects(double: Double) -> None:
    repository = connect(double, double.user("octocat")).repository("acme", "models")
    parent = double.head(MODELS)
    blob = repository.create_blob("new\n", "utf-8")
    entry = {"path": "d/e.txt", "mode": "100644", "type": "blob", "sha": blob}
    tree = repository.create_tree([entry], base_tree=repository.git_commit(parent).tree.sha)
    who = {"name": "n", "email": "e@example.org", "date": "2024-01-02T03:04:05Z"}
    commit = repository.create_commit("message", tree.sha, [parent], author=who, committer=who)
    repository.create_ref("refs/heads/made", commit.sha)
    assert double.head(MODELS, "made") == commit.sha
    assert repository.ref("heads/made").object.sha == commit.sha
    assert repository.file_contents("d/e.txt", ref="made").decoded == b"new\n"
    assert repository.branch("made").commit.commit.message == "message"
    assert repository.compare_commits("main", "made").ahead_by == 1
    assert [one.name for one in repository.branches()] == ["made", "main"]


def test_an_app_logs_in_with_its_key(double: Double) -> None:
    app = double.app("gate", {"checks": "write"})
    installation = double.install("gate", MODELS)
    session = GitHubSession()
    session.base_url = double.url
    hub = github3.GitHub(session=session)
    hub.login_as_app(app.private_key, str(app.id))
    assert hub.authenticated_app().slug == "gate"
    assert hub.app_installation_for_repository("acme", "models").id == installation.id
    hub.login_as_app_installation(app.private_key, str(app.id), installation.id)
    run = hub.repository("acme", "models").create_check_run("verdict", double.head(MODELS))
    assert run.app.slug == "gate"
