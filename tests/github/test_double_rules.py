"""Rulesets: what they ask of a merge and of a push. A required check that is bound to an App counts from it alone."""

from typing import Any

import pytest

from tests.github.conftest import MODELS, Client
from tests.github.double import Double
from tests.github.exchange import GitHubError
from tests.github.owners import _pattern


def protect(admin: Client, *rules: dict[str, Any], bypass: list[dict[str, Any]] | None = None, **more: Any) -> int:
    """A ruleset on the default branch; its id."""
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    body = {"name": "main", "target": "branch", "enforcement": "active", "conditions": conditions, "rules": list(rules)}
    number: int = admin.post("rulesets", **(body | {"bypass_actors": bypass or []} | more))["id"]
    return number


def required(name: str, app: int | None = None, strict: bool = False) -> dict[str, Any]:
    """The rule of one required check."""
    check = {"context": name} | ({"integration_id": app} if app else {})
    more = {"required_status_checks": [check], "strict_required_status_checks_policy": strict}
    return {"type": "required_status_checks", "parameters": more}


def reviewed(**more: Any) -> dict[str, Any]:
    """The rule of pull requests."""
    flags = dict.fromkeys(
        (
            "dismiss_stale_reviews_on_push",
            "require_code_owner_review",
            "require_last_push_approval",
            "required_review_thread_resolution",
        ),
        False,
    )
    return {"type": "pull_request", "parameters": flags | {"required_approving_review_count": 0} | more}


def pull(double: Double, **files: str) -> str:
    """A pull request, number 1; its head."""
    head = double.push(MODELS, "topic", files or {"a.txt": "2"}, by="author")
    double.user("author", {MODELS: "write"})
    double.open_pull(MODELS, "topic", by="author")
    return head


def refusal(admin: Client) -> str:
    """Why the merge is refused; "" where it is done."""
    response = admin.call("PUT", "pulls/1/merge", json={})
    assert response.status_code in (200, 405)
    return "" if response.status_code == 200 else response.json()["message"].partition("\n\n")[2]


def test_a_check_of_the_same_name_by_another_app_does_not_count(
    double: Double, gate: Client, actions: Client, admin: Client
) -> None:
    protect(admin, required("verdict", double.world.apps["gate"].id))
    head = pull(double)
    actions.post("check-runs", name="verdict", head_sha=head, conclusion="success")
    admin.post(f"statuses/{head}", state="success", context="verdict")
    assert refusal(admin) == 'Required status check "verdict" is expected.'
    assert admin.get("pulls/1")["mergeable_state"] == "blocked"
    gate.post("check-runs", name="verdict", head_sha=head, conclusion="success")
    assert admin.get("pulls/1")["mergeable_state"] == "clean"
    gate.post("check-runs", name="verdict", head_sha=head, conclusion="failure")
    assert refusal(admin) == 'Required status check "verdict" is failure.'
    gate.post("check-runs", name="verdict", head_sha=head, conclusion="neutral")
    assert refusal(admin) == ""


def test_a_check_of_an_older_commit_does_not_count(double: Double, gate: Client, admin: Client) -> None:
    protect(admin, required("verdict", double.world.apps["gate"].id))
    gate.post("check-runs", name="verdict", head_sha=pull(double), conclusion="success")
    double.push(MODELS, "topic", {"a.txt": "3"})
    assert "expected" in refusal(admin)
    with pytest.raises(GitHubError, match="verdict"):
        double.merge(MODELS, 1)


def test_unbound_checks_and_statuses(double: Double, actions: Client, admin: Client) -> None:
    protect(admin, required("ci"))
    head = pull(double)
    actions.post("check-runs", name="ci", head_sha=head, status="in_progress")
    assert refusal(admin) == 'Required status check "ci" is expected.'
    actions.post("check-runs", name="ci", head_sha=head, conclusion="skipped")
    assert refusal(admin) == ""


def test_strict_checks_want_the_base(double: Double, actions: Client, admin: Client) -> None:
    protect(admin, required("ci", strict=True))
    head = pull(double)
    actions.post("check-runs", name="ci", head_sha=head, conclusion="success")
    double.push(MODELS, "main", {"other.txt": "x"})
    assert admin.get("pulls/1")["mergeable_state"] == "behind"
    assert refusal(admin) == "Head branch is out of date."


def test_reviews_of_writers_that_stand(double: Double, admin: Client) -> None:
    protect(admin, reviewed(required_approving_review_count=1, dismiss_stale_reviews_on_push=True))
    pull(double)
    stranger = Client(double.url, double.user("stranger"))
    stranger.post("pulls/1/reviews", 200, event="APPROVE")
    stranger.session.close()
    assert "approving review" in refusal(admin)
    admin.post("pulls/1/reviews", 200, event="APPROVE")
    double.push(MODELS, "topic", {"a.txt": "3"}, by="author")
    assert "approving review" in refusal(admin)
    admin.post("pulls/1/reviews", 200, event="REQUEST_CHANGES", body="no")
    assert "Changes have been requested." in refusal(admin)
    admin.post("pulls/1/reviews", 200, event="APPROVE")
    assert refusal(admin) == ""


def test_code_owners_have_to_agree(double: Double, admin: Client) -> None:
    owners = "* @nobody\n/b/ @acme/keepers # a team\n*.txt\n/gates.yaml @octocat\n/b/ @acme/keepers\n"
    double.push(MODELS, "main", {".github/CODEOWNERS": owners})
    double.team("acme/keepers", ["keeper"])
    keeper = Client(double.url, double.user("keeper", {MODELS: "write"}))
    protect(admin, reviewed(require_code_owner_review=True))
    pull(double, **{"b/c.txt": "3", "a.txt": "no owner"})
    admin.post("pulls/1/reviews", 200, event="APPROVE")
    assert refusal(admin) == "Waiting on code owner review."
    keeper.post("pulls/1/reviews", 200, event="APPROVE")
    keeper.session.close()
    assert refusal(admin) == ""


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*", "a/b.txt", True),
        ("*.js", "a/b.js", True),
        ("/build/", "build/a/b", True),
        ("/build/", "x/build/a", False),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("apps/", "x/apps/y", True),
        ("/models/**/spec.yaml", "models/delays/spec.yaml", True),
        ("/models/**/spec.yaml", "models/spec.yaml", True),
        ("/models/floor.yaml", "models/floor.yaml", True),
        ("/models/floor.yaml", "x/models/floor.yaml", False),
        ("/.github", ".github/workflows/a.yml", True),
    ],
)
def test_patterns_of_codeowners(pattern: str, path: str, fits: bool) -> None:
    assert bool(_pattern(pattern).match(path)) is fits


def test_the_last_pusher_may_not_be_the_only_one_to_approve(double: Double, admin: Client) -> None:
    protect(admin, reviewed(require_last_push_approval=True))
    pull(double)
    double.push(MODELS, "topic", {"a.txt": "by the reviewer"}, by="octocat")
    admin.post("pulls/1/reviews", 200, event="APPROVE")
    assert "last pusher" in refusal(admin)


def test_a_protected_branch_is_not_pushed_to(double: Double, gate: Client, admin: Client) -> None:
    number = protect(admin, reviewed(), {"type": "deletion"}, {"type": "non_fast_forward"})
    ahead = double.push(MODELS, "topic", {"a.txt": "2"})
    for who in (gate, admin):
        response = who.call("PATCH", "git/refs/heads/main", json={"sha": ahead})
        assert response.status_code == 422 and "through a pull request" in response.json()["message"]
    assert gate.call("PATCH", "git/refs/heads/main", json={"sha": ahead, "force": True}).status_code == 422
    assert admin.call("DELETE", "git/refs/heads/main").status_code == 422
    body = {"message": "m", "content": "eA==", "branch": "main"}
    assert admin.call("PUT", "contents/x.txt", json=body).status_code == 409
    gate.patch("git/refs/heads/topic", sha=ahead)
    assert [one["name"] for one in admin.get("branches", protected="true")] == ["main"]
    assert {one["type"] for one in gate.get("rules/branches/main")} == {"pull_request", "deletion", "non_fast_forward"}
    assert gate.get("rules/branches/topic") == []
    admin.put(f"rulesets/{number}", enforcement="disabled")
    gate.patch("git/refs/heads/main", sha=ahead)


def test_who_bypasses(double: Double, gate: Client, admin: Client) -> None:
    app = {"actor_id": double.world.apps["gate"].id, "actor_type": "Integration", "bypass_mode": "always"}
    role = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"}
    protect(admin, reviewed(required_approving_review_count=1), bypass=[app, role])
    pull(double)
    gate.patch("git/refs/heads/main", sha=double.push(MODELS, "x", {"x.txt": "x"}))
    assert (
        admin.call("PATCH", "git/refs/heads/main", json={"sha": double.push(MODELS, "x", {"x": "y"})}).status_code
        == 422
    )
    author = Client(double.url, double.user("author"))
    assert "approving review" in refusal(author)
    author.session.close()
    assert refusal(admin) == ""


def test_rulesets_are_kept_as_they_were_written(double: Double, gate: Client, admin: Client) -> None:
    number = protect(admin, required("verdict", 7))
    whole = gate.get(f"rulesets/{number}")
    assert whole["rules"] == [required("verdict", 7)] and whole["bypass_actors"] == []
    reader = Client(double.url, double.installation_token("gate", MODELS, permissions={"checks": "write"}))
    assert "bypass_actors" not in reader.get(f"rulesets/{number}")
    reader.session.close()
    assert "rules" not in gate.get("rulesets")[0]
    again = {"name": "main", "target": "branch", "enforcement": "active"}
    assert gate.call("POST", "rulesets", json=again).status_code == 422
    gate.put(f"rulesets/{number}", **again, rules=[{"type": "deletion"}])
    assert gate.get(f"rulesets/{number}")["rules"] == [{"type": "deletion"}]
    gate.delete(f"rulesets/{number}")
    assert gate.get("rulesets") == []
