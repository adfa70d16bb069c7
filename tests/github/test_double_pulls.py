"""Pull requests: heads that move, merges, comments, labels, reviews, and the events of all that."""

import os
import subprocess
from pathlib import Path

from tests.github.bare import Bare, git
from tests.github.conftest import MODELS, Client
from tests.github.double import Double


def clone(double: Double, name: str, to: Path) -> Bare:
    """A working clone."""
    git("clone", "--quiet", double.path(name), to)
    return Bare(to)


def test_a_plain_push_moves_the_head_and_its_refs(double: Double, admin: Client, tmp_path: Path) -> None:
    double.push(MODELS, "topic", {"a.txt": "2\n"})
    double.open_pull(MODELS, "topic")
    work = clone(double, MODELS, tmp_path / "work")
    work.git("checkout", "--quiet", "topic")
    (tmp_path / "work/new.txt").write_text("x")
    work.git("add", ".")
    work.git("commit", "--quiet", "-m", "more")
    env = os.environ | {"GITHUB_DOUBLE_PUSHER": "alice"}
    subprocess.run(["git", "-C", tmp_path / "work", "push", "--quiet"], check=True, env=env, capture_output=True)
    head = work.text("rev-parse", "HEAD")
    # Fetched before anybody asked the API.
    work.git("fetch", "--quiet", "origin", "refs/pull/1/head")
    assert work.text("rev-parse", "FETCH_HEAD") == head
    work.git("fetch", "--quiet", "origin", "refs/pull/1/merge")
    assert work.text("rev-parse", "FETCH_HEAD^2") == head
    assert admin.get("pulls/1")["head"]["sha"] == head
    last = double.webhook_events[-1]
    assert (last.name, last.action, last.payload["after"]) == ("pull_request", "synchronize", head)
    assert last.payload["sender"]["login"] == "alice"


def test_a_fork_brings_its_commits_into_the_base_repository(double: Double, admin: Client) -> None:
    double.fork(MODELS, "stranger")
    head = double.push("stranger/models", "mine", {"b/c.txt": None, "d.txt": "1\n2\n"}, by="stranger")
    double.open_pull(MODELS, "stranger:mine")
    assert Bare(double.path(MODELS)).refs("refs/pull/1/head") == {"refs/pull/1/head": head}
    pull = admin.get("pulls/1")
    assert pull["head"]["repo"]["full_name"] == "stranger/models" and pull["head"]["label"] == "stranger:mine"
    assert (pull["changed_files"], pull["additions"], pull["deletions"], pull["mergeable_state"]) == (2, 2, 1, "clean")
    files = {one["filename"]: one for one in admin.get("pulls/1/files")}
    assert (files["b/c.txt"]["status"], files["d.txt"]["patch"]) == ("removed", "@@ -0,0 +1,2 @@\n+1\n+2")
    double.delete_fork("stranger/models")
    assert admin.get("pulls/1")["head"]["repo"] is None
    assert admin.get("pulls")[0]["head"]["sha"] == head


def test_a_conflict_is_seen_and_refused(double: Double, admin: Client) -> None:
    double.push(MODELS, "topic", {"a.txt": "topic\n"})
    double.open_pull(MODELS, "topic")
    assert admin.get("pulls/1")["mergeable"] is True
    double.push(MODELS, "main", {"a.txt": "main\n"})
    pull = admin.get("pulls/1")
    assert (pull["mergeable"], pull["mergeable_state"], pull["merge_commit_sha"]) == (False, "dirty", None)
    assert "refs/pull/1/merge" not in Bare(double.path(MODELS)).refs("refs/pull/")
    assert admin.call("PUT", "pulls/1/merge", json={}).status_code == 405


def test_merging_three_ways(double: Double, admin: Client) -> None:
    bare = Bare(double.path(MODELS))
    for number, method in enumerate(("merge", "squash", "rebase"), 1):
        for part in ("x", "y"):
            head = double.push(MODELS, method, {f"{method}-{part}.txt": part})
        double.push(MODELS, "main", {f"main-{method}.txt": "x"})
        before = double.head(MODELS)
        double.open_pull(MODELS, method)
        assert admin.call("PUT", f"pulls/{number}/merge", json={"sha": before}).status_code == 409
        assert admin.call("GET", f"pulls/{number}/merge").status_code == 404
        sha = admin.put(f"pulls/{number}/merge", merge_method=method, sha=head)["sha"]
        assert admin.call("GET", f"pulls/{number}/merge").status_code == 204
        pull = admin.get(f"pulls/{number}")
        assert (pull["merged"], pull["state"], pull["merge_commit_sha"]) == (True, "closed", sha)
        assert double.head(MODELS) == sha and {f"{method}-x.txt", f"{method}-y.txt"} <= {e[4] for e in bare.tree(sha)}
        parents = {"merge": (before, head), "squash": (before,)}
        assert bare.commit(sha).parents == parents.get(method, bare.commit(sha).parents)
        assert bare.count(f"{before}..{sha}") == {"merge": 3, "squash": 1, "rebase": 2}[method]
        assert [one["number"] for one in admin.get(f"commits/{sha}/pulls")] == [number]
        closed = [one for one in double.webhook_events if one.action == "closed"][-1]
        assert closed.payload["pull_request"]["merged"] is True


def test_what_git_merged_is_merged(double: Double, admin: Client) -> None:
    head = double.push(MODELS, "topic", {"a.txt": "2"})
    double.open_pull(MODELS, "topic")
    double.force(MODELS, "main", head)
    assert admin.get("pulls/1")["merged"] is True


def test_opening_refuses_what_github_refuses(double: Double, admin: Client) -> None:
    assert admin.call("POST", "pulls", json={"title": "x", "head": "none", "base": "main"}).status_code == 422
    double.force(MODELS, "same", double.head(MODELS))
    response = admin.call("POST", "pulls", json={"title": "x", "head": "same", "base": "main"})
    assert response.json()["errors"][0]["message"] == "No commits between main and same"
    double.push(MODELS, "topic", {"a.txt": "2"})
    assert admin.post("pulls", title="x", head="topic", base="main", body="text")["number"] == 1
    response = admin.call("POST", "pulls", json={"title": "x", "head": "topic", "base": "main"})
    assert response.json()["errors"][0]["message"] == "A pull request already exists for acme:topic."
    assert admin.get("pulls", head="acme:topic", base="main")[0]["body"] == "text"
    assert admin.get("pulls", head="acme:other") == []


def test_editing_closing_and_reopening(double: Double, admin: Client) -> None:
    double.push(MODELS, "topic", {"a.txt": "2"})
    double.open_pull(MODELS, "topic")
    assert admin.patch("pulls/1", title="new", body="text")["title"] == "new"
    assert admin.patch("pulls/1", state="closed")["state"] == "closed"
    assert admin.get("pulls") == [] and len(admin.get("pulls", state="all")) == 1
    assert admin.patch("pulls/1", state="open")["mergeable"] is True
    double.force(MODELS, "topic", None)
    assert admin.get("pulls/1")["state"] == "closed"
    assert [one.action for one in double.webhook_events if one.name == "pull_request"] == [
        "opened",
        "closed",
        "reopened",
        "closed",
    ]


def test_comments_say_which_app_wrote_them(double: Double, gate: Client, actions: Client, admin: Client) -> None:
    double.push(MODELS, "topic", {"a.txt": "2"})
    double.open_pull(MODELS, "topic")
    mine = gate.post("issues/1/comments", body="<!-- marker --> one")
    assert (mine["user"]["login"], mine["user"]["type"]) == ("gate[bot]", "Bot")
    assert mine["performed_via_github_app"]["slug"] == "gate"
    assert actions.post("issues/1/comments", body="two")["user"]["login"] == "github-actions[bot]"
    assert admin.post("issues/1/comments", body="three")["performed_via_github_app"] is None
    gate.patch(f"issues/comments/{mine['id']}", body="<!-- marker --> again")
    assert [one["body"] for one in admin.get("issues/1/comments")] == ["<!-- marker --> again", "two", "three"]
    assert admin.get("issues/1")["comments"] == 3 and admin.get("pulls/1")["comments"] == 3
    gate.delete(f"issues/comments/{mine['id']}")
    assert gate.call("GET", f"issues/comments/{mine['id']}").status_code == 404
    assert gate.call("POST", "issues/1/comments", json={"body": "x" * 65537}).status_code == 422
    assert gate.call("POST", "issues/9/comments", json={"body": "x"}).status_code == 404


def test_labels_come_and_go_with_events(double: Double, gate: Client) -> None:
    double.push(MODELS, "topic", {"a.txt": "2"})
    double.open_pull(MODELS, "topic")
    gate.post("labels", name="contract:breaking", color="d73a4a", description="Breaks a contract")
    for wrong in (
        {"name": "contract:breaking"},
        {"name": "x", "color": "#d73a4a"},
        {"name": "x", "description": "x" * 101},
    ):
        assert gate.call("POST", "labels", json=wrong).status_code == 422
    gate.post("issues/1/labels", 200, labels=["contract:breaking", "approved"])
    assert [one["name"] for one in gate.get("pulls/1")["labels"]] == ["contract:breaking", "approved"]
    assert gate.get("pulls")[0]["labels"][1]["description"] is None
    gate.delete("issues/1/labels/approved", 200)
    assert gate.call("DELETE", "issues/1/labels/approved").status_code == 404
    gate.put("issues/1/labels", labels=["fine"])
    assert [one["name"] for one in gate.get("issues/1/labels")] == ["fine"]
    gate.patch("labels/fine", new_name="finer", color="000000")
    assert [one["name"] for one in gate.get("issues/1/labels")] == ["finer"]
    gate.delete("issues/1/labels")
    gate.delete("labels/finer")
    assert gate.call("GET", "labels/finer").status_code == 404
    told = [
        (one.action, one.payload["label"]["name"]) for one in double.webhook_events if "label" in (one.action or "")
    ]
    assert told == [
        ("labeled", "contract:breaking"),
        ("labeled", "approved"),
        ("unlabeled", "approved"),
        ("unlabeled", "contract:breaking"),
        ("labeled", "fine"),
        ("unlabeled", "finer"),
    ]


def test_reviews(double: Double, gate: Client, admin: Client) -> None:
    double.push(MODELS, "topic", {"a.txt": "2"})
    double.open_pull(MODELS, "topic", by="octocat")
    response = admin.call("POST", "pulls/1/reviews", json={"event": "APPROVE"})
    assert (response.status_code, response.json()["errors"]) == (422, ["Can not approve your own pull request"])
    double.user("alice", {MODELS: "write"})
    assert gate.post("pulls/1/requested_reviewers", reviewers=["alice"])["requested_reviewers"][0]["login"] == "alice"
    assert gate.get("pulls/1/requested_reviewers")["users"][0]["login"] == "alice"
    made = gate.post("pulls/1/reviews", 200, event="REQUEST_CHANGES", body="no")
    assert gate.put(f"pulls/1/reviews/{made['id']}/dismissals", message="yes")["state"] == "DISMISSED"
    assert [one["state"] for one in admin.get("pulls/1/reviews")] == ["DISMISSED"]


def test_what_a_workflows_token_did_starts_no_workflow(double: Double, gate: Client, actions: Client) -> None:
    for name, who in (("by-gate", gate), ("by-actions", actions)):
        who.post("git/refs", ref=f"refs/heads/{name}", sha=double.head(MODELS))
    pushes = [one for one in double.webhook_events if one.name == "push"]
    assert [(one.payload["ref"], one.starts_workflows) for one in pushes] == [
        ("refs/heads/by-gate", True),
        ("refs/heads/by-actions", False),
    ]
