"""The git data API, contents, commits and comparisons: all of it real git in the bare repository."""

import base64
import hashlib
from collections.abc import Callable

from tests.github.bare import Bare
from tests.github.conftest import MODELS, Client
from tests.github.double import Double

Make = Callable[[str | None], Client]


def test_a_commit_through_blobs_and_trees(double: Double, gate: Client) -> None:
    bare, parent = Bare(double.path(MODELS)), double.head(MODELS)
    content = b"\x00\xff binary"
    blob = gate.post("git/blobs", content=base64.b64encode(content).decode(), encoding="base64")["sha"]
    assert blob == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    assert base64.b64decode(gate.get(f"git/blobs/{blob}")["content"]) == content
    entries = [
        {"path": "b/new.bin", "mode": "100755", "type": "blob", "sha": blob},
        {"path": "text.txt", "mode": "100644", "type": "blob", "content": "hi\n"},
        {"path": "a.txt", "mode": "100644", "type": "blob", "sha": None},
    ]
    tree = gate.post("git/trees", base_tree=bare.commit(parent).tree, tree=entries)["sha"]
    found = {one["path"]: one["mode"] for one in gate.get(f"git/trees/{tree}", recursive="1")["tree"]}
    assert found == {"b": "040000", "b/c.txt": "100644", "b/new.bin": "100755", "text.txt": "100644"}
    made = gate.post("git/commits", message="Promote", tree=tree, parents=[parent])
    assert made["author"]["name"] == "gate[bot]" and made["parents"][0]["sha"] == parent
    assert gate.get(f"git/commits/{made['sha']}")["tree"]["sha"] == tree
    gate.patch("git/refs/heads/main", sha=made["sha"])
    assert double.head(MODELS) == made["sha"] and bare.text("show", "main:text.txt") == "hi"
    bare.git("fsck", "--strict")


def test_a_subtree_is_put_by_its_sha(double: Double, gate: Client) -> None:
    bare = Bare(double.path(MODELS))
    folder = bare.text("rev-parse", "main:b")
    entry = {"path": "copy", "mode": "040000", "type": "tree", "sha": folder}
    tree = gate.post("git/trees", base_tree=bare.commit(double.head(MODELS)).tree, tree=[entry])["sha"]
    assert bare.text("ls-tree", "-r", "--name-only", tree).split() == ["a.txt", "b/c.txt", "copy/c.txt"]


def test_what_is_not_there_or_malformed_is_refused(double: Double, gate: Client) -> None:
    nothing, head = "1" * 40, double.head(MODELS)
    tree = Bare(double.path(MODELS)).commit(head).tree
    for path in (f"git/blobs/{nothing}", f"git/trees/{nothing}", f"git/commits/{nothing}", "git/ref/heads/none"):
        assert gate.call("GET", path).status_code == 404
    refused = [
        ("git/trees", {"tree": [{"path": "../x", "mode": "100644", "type": "blob", "content": "x"}]}),
        ("git/trees", {"tree": [{"path": "x", "mode": "100644", "type": "blob", "sha": nothing}]}),
        ("git/trees", {"base_tree": nothing, "tree": []}),
        ("git/commits", {"message": "x", "tree": nothing}),
        ("git/commits", {"message": "x", "tree": tree, "parents": [nothing]}),
        ("git/refs", {"ref": "refs/heads/x", "sha": nothing}),
        ("git/refs", {"ref": "heads/x", "sha": head}),
        ("git/refs", {"ref": "refs/heads/main", "sha": head}),
    ]
    for path, body in refused:
        assert gate.call("POST", path, json=body).status_code == 422, (path, body)


def test_refs_move_forward_only(double: Double, gate: Client) -> None:
    head = double.head(MODELS)
    ahead = double.push(MODELS, "feature/x", {"a.txt": "2"})
    beside = double.push(MODELS, "other", {"a.txt": "3"})
    gate.patch("git/refs/heads/main", sha=ahead)
    response = gate.call("PATCH", "git/refs/heads/main", json={"sha": beside})
    assert (response.status_code, response.json()["message"]) == (422, "Update is not a fast forward")
    assert gate.call("PATCH", "git/refs/heads/none", json={"sha": head}).status_code == 422
    gate.patch("git/refs/heads/main", sha=beside, force=True)
    assert gate.get("git/ref/heads/feature/x")["object"]["sha"] == ahead
    refs = [one["ref"] for one in gate.get("git/matching-refs/heads/")]
    assert refs == ["refs/heads/feature/x", "refs/heads/main", "refs/heads/other"]
    gate.delete("git/refs/heads/feature/x")
    assert gate.call("GET", "branches/feature/x").status_code == 404
    push = double.webhook_events[-1]
    assert (push.name, push.payload["deleted"], push.payload["before"]) == ("push", True, ahead)


def test_an_app_brings_no_workflow_without_the_permission(double: Double, gate: Client, client: Make) -> None:
    head, bare = double.head(MODELS), Bare(double.path(MODELS))
    entry = {"path": ".github/workflows/x.yml", "mode": "100644", "type": "blob", "content": "on: push\n"}
    tree = gate.post("git/trees", base_tree=bare.commit(head).tree, tree=[entry])["sha"]
    commit = gate.post("git/commits", message="m", tree=tree, parents=[head])["sha"]
    body = {"message": "m", "content": "eA==", "branch": "main"}
    assert gate.call("PATCH", "git/refs/heads/main", json={"sha": commit}).status_code == 403
    assert gate.call("POST", "git/refs", json={"ref": "refs/heads/x", "sha": commit}).status_code == 403
    assert gate.call("PUT", "contents/.github/workflows/y.yml", json=body).status_code == 403
    double.app("builder", {"contents": "write", "workflows": "write"})
    client(double.installation_token("builder", MODELS)).patch("git/refs/heads/main", sha=commit)
    gate.post("git/refs", ref="refs/heads/x", sha=commit)


def test_contents_are_read_and_written(double: Double, gate: Client) -> None:
    assert base64.b64decode(gate.get("contents/a.txt")["content"]) == b"one\n"
    assert [(one["name"], one["type"]) for one in gate.get("contents/")] == [("a.txt", "file"), ("b", "dir")]
    raw = gate.call("GET", "contents/b/c.txt", headers={"Accept": "application/vnd.github.raw+json"})
    assert raw.content == b"two\n"
    assert gate.call("GET", "contents/none.txt").status_code == 404
    assert gate.call("GET", "contents/a.txt", params={"ref": "none"}).status_code == 404
    text = base64.b64encode(b"three\n").decode()
    made = gate.put("contents/new folder/n.txt", 201, message="add", content=text, branch="main")
    assert made["commit"]["sha"] == double.head(MODELS)
    assert gate.call("PUT", "contents/a.txt", json={"message": "m", "content": text}).status_code == 422
    wrong = {"message": "m", "content": text, "sha": made["content"]["sha"]}
    assert gate.call("PUT", "contents/a.txt", json=wrong).status_code == 409
    gate.put("contents/a.txt", message="m", content=text, sha=gate.get("contents/a.txt")["sha"])
    assert Bare(double.path(MODELS)).text("show", "main:a.txt") == "three"


def test_commits_and_comparisons(double: Double, gate: Client) -> None:
    base = double.head(MODELS)
    head = double.push(MODELS, "topic", {"a.txt": "1\n2\n", "b/c.txt": None}, message="first\n\nbody", by="alice")
    double.push(MODELS, "main", {"main.txt": "x"})
    one = gate.get(f"commits/{head}")
    assert one["author"]["login"] == "alice" and one["commit"]["message"] == "first\n\nbody"
    assert one["stats"] == {"additions": 2, "deletions": 2, "total": 4}
    assert [file["status"] for file in one["files"]] == ["modified", "removed"]
    plain = gate.call("GET", "commits/topic", headers={"Accept": "application/vnd.github.sha"})
    assert plain.text == head
    assert [one["sha"] for one in gate.get("commits", sha="topic")] == [head, base]
    assert [one["sha"] for one in gate.get("commits", sha="topic", path="a.txt")] == [head, base]
    answer = gate.get("compare/main...topic")
    assert (answer["status"], answer["ahead_by"], answer["behind_by"]) == ("diverged", 1, 1)
    assert answer["merge_base_commit"]["sha"] == base and len(answer["files"]) == 2
    assert gate.get("compare/main...main")["status"] == "identical"
    double.fork(MODELS, "stranger")
    there = double.push("stranger/models", "mine", {"z.txt": "x"})
    assert gate.get("compare/main...stranger:mine")["commits"][0]["sha"] == there
    assert gate.call("GET", "compare/main...none").status_code == 404
    assert gate.call("GET", f"commits/{'1' * 40}").status_code == 422
    assert [one["full_name"] for one in gate.get("forks")] == ["stranger/models"]


def test_a_renamed_file_and_odd_names(double: Double, gate: Client) -> None:
    text = "".join(f"line {n}\n" for n in range(20))
    double.push(MODELS, "main", {"old name.txt": text, "bin": b"\x00\x01"})
    double.push(MODELS, "topic", {"old name.txt": None, "ü b.txt": text + "more\n", "bin": b"\x00\x02"})
    double.open_pull(MODELS, "topic")
    files = {one["filename"]: one for one in gate.get("pulls/1/files")}
    assert files["ü b.txt"]["previous_filename"] == "old name.txt" and files["ü b.txt"]["status"] == "renamed"
    assert files["ü b.txt"]["patch"].endswith("+more") and "patch" not in files["bin"]
