"""Files and folders of a commit; one file written at a time."""

import base64
from typing import Any
from urllib.parse import quote

from tests.github import movement, views, views_git
from tests.github.exchange import Answer, Call, GitHubError, not_found, operation
from tests.github.routes.git_data import person, wrapped
from tests.github.routes.git_refs import refuse_protected, refuse_workflows

MEGABYTE = 1_000_000


@operation("GET REPO/contents/{path}", "contents")
def contents(call: Call) -> Answer:
    """A file as base64 or raw, a folder as a list."""
    ref = call.query.get("ref") or call.repository.default_branch
    commit, path = call.bare.resolve(ref), call.params["path"].strip("/")
    if commit is None:
        raise GitHubError(404, f"No commit found for the ref {ref}")
    found = _entry(call, commit, path) if path else ("040000", "tree", commit, None, "")
    if found is None:
        raise not_found()
    if found[1] == "tree":
        return Answer(200, _folder(call, commit, found[2], path, ref))
    return _file(call, found, path, ref)


@operation("PUT REPO/contents/{path}", "contents")
def put(call: Call) -> Answer:
    """One file, in one commit; ``sha`` is that of the file that is replaced."""
    asked, path = call.json, call.params["path"].strip("/")
    name = f"refs/heads/{asked.get('branch') or call.repository.default_branch}"
    parent = call.bare.resolve(name)
    if parent is None:
        raise not_found()
    before = _entry(call, parent, path)
    if before and asked.get("sha") is None:
        raise GitHubError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if (before[2] if before else None) != asked.get("sha"):
        raise GitHubError(409, f"{path} does not match {asked['sha']}")
    commit = _written(call, parent, path)
    refuse_protected(call, name, parent, commit, 409)
    refuse_workflows(call, commit)
    call.bare.write(name, commit)
    movement.look(call.world, call.repository, call.by)
    entry = _entry(call, commit, path)
    assert entry is not None
    body = {"content": _about(call, entry, path, commit), "commit": _commit(call, commit)}
    return Answer(200 if before else 201, body)


def _written(call: Call, parent: str, path: str) -> str:
    blob = call.bare.put_blob(base64.b64decode(call.json["content"]))
    tree = call.bare.put_tree(parent, [("100644", path, blob)])
    who = call.json.get("author") or call.json.get("committer") or person(call.by)
    env = {"GIT_AUTHOR_NAME": who["name"], "GIT_AUTHOR_EMAIL": who["email"]}
    return call.bare.make_commit(tree, (parent,), call.json["message"], env)


def _commit(call: Call, sha: str) -> dict[str, Any]:
    return views_git.git_commit(call.world, call.repository, call.bare.commit(sha))


def _entry(call: Call, commit: str, path: str) -> tuple[str, str, str, int | None, str] | None:
    lines = call.bare.git("ls-tree", "-z", "-l", commit, "--", path).decode()
    if not lines:
        return None
    mode, kind, sha, size = lines.split("\0")[0].split("\t")[0].split()
    return mode, kind, sha, None if size == "-" else int(size), path


def _folder(call: Call, commit: str, tree: str, path: str, ref: str) -> list[dict[str, Any]]:
    entries = call.bare.tree(tree)
    return [_about(call, entry, f"{path}/{entry[4]}".lstrip("/"), ref) for entry in entries]


def _file(call: Call, entry: tuple[str, str, str, int | None, str], path: str, ref: str) -> Answer:
    content = call.bare.blob(entry[2])
    if "raw" in call.accept:
        return Answer(200, content, kind="application/vnd.github.raw; charset=utf-8")
    if len(content) > 100 * MEGABYTE:
        raise GitHubError(403, "This API returns blobs up to 100 MB in size.")
    big = len(content) > MEGABYTE
    more = {"content": "" if big else wrapped(content), "encoding": "none" if big else "base64"}
    return Answer(200, _about(call, entry, path, ref) | more)


def _about(call: Call, entry: tuple[str, str, str, int | None, str], path: str, ref: str) -> dict[str, Any]:
    mode, kind, sha, size, _ = entry
    name, path = path, quote(path)
    url, web = views.repository_url(call.world, call.repository), f"{call.world.url}/{call.repository.full_name}"
    word = {"tree": "dir", "commit": "submodule"}.get(kind, "symlink" if mode == "120000" else "file")
    links = {
        "self": f"{url}/contents/{path}?ref={ref}",
        "git": f"{url}/git/{kind}s/{sha}",
        "html": f"{web}/blob/{ref}/{path}",
    }
    places = {"url": links["self"], "git_url": links["git"], "html_url": links["html"], "_links": links}
    download = f"{web}/raw/{ref}/{path}" if kind == "blob" else None
    about = {"type": word, "name": name.split("/")[-1], "path": name, "sha": sha, "size": size or 0}
    return about | places | {"download_url": download}
