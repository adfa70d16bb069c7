"""The git data API: blobs, trees and commits, which are git's own in the bare repository."""

import base64
import binascii
from typing import Any

from tests.github import views, views_git
from tests.github.exchange import Answer, Call, GitHubError, node_id, not_found, operation
from tests.github.world import Token, now


@operation("POST REPO/git/blobs", "contents")
def create_blob(call: Call) -> Answer:
    """From text, or from base64."""
    sha = call.bare.put_blob(_bytes(call.json["content"], call.json.get("encoding", "utf-8")))
    return Answer(201, {"sha": sha, "url": f"{views.repository_url(call.world, call.repository)}/git/blobs/{sha}"})


@operation("GET REPO/git/blobs/{file_sha}", "contents")
def blob(call: Call) -> Answer:
    """As base64, or raw."""
    sha = call.params["file_sha"]
    _is(call, sha, "blob")
    content = call.bare.blob(sha)
    if "raw" in call.accept:
        return Answer(200, content, kind="application/vnd.github.raw")
    url = f"{views.repository_url(call.world, call.repository)}/git/blobs/{sha}"
    about: dict[str, Any] = {
        "sha": sha,
        "node_id": node_id("Blob", int(sha[:12], 16)),
        "size": len(content),
        "url": url,
    }
    return Answer(200, about | {"content": wrapped(content), "encoding": "base64"})


@operation("POST REPO/git/trees", "contents")
def create_tree(call: Call) -> Answer:
    """On a base tree, or from nothing. An entry has a sha (null takes it out) or its content."""
    asked = call.json
    base = asked.get("base_tree")
    if base is not None and call.bare.kind(base) not in ("tree", "commit"):
        raise GitHubError(422, "base_tree is not a valid tree oid")
    entries = [_entry(call, one) for one in asked["tree"]]
    return Answer(201, _tree(call, call.bare.put_tree(base, entries), False))


@operation("GET REPO/git/trees/{tree_sha}", "contents")
def tree(call: Call) -> Answer:
    """Its entries, those below too where asked for."""
    name = call.params["tree_sha"]
    sha = name if call.bare.kind(name) == "tree" else call.bare.resolve(name)
    if sha is None:
        raise not_found()
    root = call.bare.text("rev-parse", f"{sha}^{{tree}}")
    return Answer(200, _tree(call, root, "recursive" in call.query))


@operation("POST REPO/git/commits", "contents")
def create_commit(call: Call) -> Answer:
    """A commit that no branch has yet."""
    asked = call.json
    for sha, kind in ((asked["tree"], "tree"), *((one, "commit") for one in asked.get("parents", []))):
        if call.bare.kind(sha) != kind:
            raise GitHubError(422, f"{kind.capitalize()} SHA does not exist or is not a {kind} object")
    author = asked.get("author") or person(call.by)
    env = _env("AUTHOR", author) | _env("COMMITTER", asked.get("committer") or author)
    sha = call.bare.make_commit(asked["tree"], tuple(asked.get("parents", [])), asked["message"], env)
    return Answer(201, views_git.git_commit(call.world, call.repository, call.bare.commit(sha)))


@operation("GET REPO/git/commits/{commit_sha}", "contents")
def commit(call: Call) -> Answer:
    """One."""
    sha = call.params["commit_sha"]
    _is(call, sha, "commit")
    return Answer(200, views_git.git_commit(call.world, call.repository, call.bare.commit(sha)))


def person(by: Token) -> dict[str, str]:
    """How a commit names who calls."""
    address = f"{by.user.id}+{by.user.login}@users.noreply.github.com"
    return {"name": by.user.login, "email": address, "date": now()}


def wrapped(content: bytes) -> str:
    """base64 in lines, as GitHub writes it."""
    return base64.encodebytes(content).decode()


def _env(role: str, of: dict[str, str]) -> dict[str, str]:
    names = {"NAME": of.get("name", ""), "EMAIL": of.get("email", ""), "DATE": of.get("date", now())}
    return {f"GIT_{role}_{key}": value for key, value in names.items()}


def _bytes(content: str, encoding: str) -> bytes:
    if encoding != "base64":
        return content.encode()
    try:
        return base64.b64decode(content)
    except binascii.Error as error:
        raise GitHubError(
            422, "Validation Failed", [{"resource": "Blob", "code": "custom", "message": str(error)}]
        ) from error


def _entry(call: Call, one: dict[str, Any]) -> tuple[str, str, str | None]:
    mode, path = one.get("mode", "100644"), one["path"]
    if path.startswith("/") or any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise GitHubError(422, "tree.path contains a malformed path component")
    if "content" in one:
        return mode, path, call.bare.put_blob(one["content"].encode())
    sha = one.get("sha")
    if sha is not None and call.bare.kind(sha) != {"040000": "tree", "160000": "commit"}.get(mode, "blob"):
        raise GitHubError(422, f"tree.sha {sha} is not a valid {one.get('type', 'blob')}")
    return mode, path, sha


def _tree(call: Call, sha: str, recursive: bool) -> dict[str, Any]:
    url = f"{views.repository_url(call.world, call.repository)}/git"
    entries = []
    for mode, kind, entry, size, path in call.bare.tree(sha, recursive):
        sized = {} if size is None else {"size": size}
        entries.append(
            {"path": path, "mode": mode, "type": kind, "sha": entry, "url": f"{url}/{kind}s/{entry}"} | sized
        )
    return {"sha": sha, "url": f"{url}/trees/{sha}", "tree": entries, "truncated": False}


def _is(call: Call, sha: str, kind: str) -> None:
    if call.bare.kind(sha) != kind:
        raise not_found()
