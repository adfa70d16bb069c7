"""How GitHub writes commits, files that differ, refs and trees."""

from urllib.parse import quote

from tests.github import views
from tests.github.bare import Commit, Signature
from tests.github.differences import Change
from tests.github.exchange import node_id
from tests.github.views import Json
from tests.github.world import Repository, World

UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def commit(world: World, at: Repository, one: Commit) -> Json:
    """A commit, with GitHub's users where the address is theirs."""
    url = f"{views.repository_url(world, at)}/commits/{one.sha}"
    return {
        "sha": one.sha,
        "node_id": node_id("Commit", int(one.sha[:12], 16)),
        "url": url,
        "html_url": f"{world.url}/{at.full_name}/commit/{one.sha}",
        "comments_url": f"{url}/comments",
        "author": _known(world, one.author),
        "committer": _known(world, one.committer),
        "parents": parents(world, at, one),
        "commit": {
            "url": f"{views.repository_url(world, at)}/git/commits/{one.sha}",
            "message": one.message,
            "comment_count": 0,
            "verification": UNSIGNED,
            "author": signature(one.author),
            "committer": signature(one.committer),
            "tree": _tree(world, at, one),
        },
    }


def git_commit(world: World, at: Repository, one: Commit) -> Json:
    """A commit, as the git data API has it."""
    return {
        "sha": one.sha,
        "node_id": node_id("Commit", int(one.sha[:12], 16)),
        "url": f"{views.repository_url(world, at)}/git/commits/{one.sha}",
        "html_url": f"{world.url}/{at.full_name}/commit/{one.sha}",
        "author": signature(one.author),
        "committer": signature(one.committer),
        "message": one.message,
        "tree": _tree(world, at, one),
        "parents": parents(world, at, one),
        "verification": UNSIGNED,
    }


def simple_commit(one: Commit) -> Json:
    """A commit, as runs and suites name it."""
    author, committer = signature(one.author), signature(one.committer)
    names = {"id": one.sha, "tree_id": one.tree, "message": one.message, "timestamp": one.committer.date}
    return names | {"author": author, "committer": committer}


def signature(of: Signature) -> Json:
    """Name, address, date."""
    return {"name": of.name, "email": of.email, "date": of.date}


def parents(world: World, at: Repository, one: Commit) -> list[Json]:
    """A commit's parents."""
    web = f"{world.url}/{at.full_name}/commit"
    url = f"{views.repository_url(world, at)}/commits"
    return [{"sha": sha, "url": f"{url}/{sha}", "html_url": f"{web}/{sha}"} for sha in one.parents]


def change(world: World, at: Repository, head: str, one: Change) -> Json:
    """A file that differs."""
    web = f"{world.url}/{at.full_name}"
    body: Json = {
        "sha": one.sha,
        "filename": one.path,
        "status": one.status,
        "additions": one.additions,
        "deletions": one.deletions,
        "changes": one.additions + one.deletions,
        "blob_url": f"{web}/blob/{head}/{quote(one.path)}",
        "raw_url": f"{web}/raw/{head}/{quote(one.path)}",
        "contents_url": f"{views.repository_url(world, at)}/contents/{quote(one.path)}?ref={head}",
    }
    optional = {"patch": one.patch, "previous_filename": one.previous}
    return body | {name: value for name, value in optional.items() if value is not None}


def ref(world: World, at: Repository, name: str, sha: str) -> Json:
    """A branch or tag."""
    url = views.repository_url(world, at)
    what = {"type": "commit", "sha": sha, "url": f"{url}/git/commits/{sha}"}
    return {"ref": name, "node_id": node_id("Ref", int(sha[:12], 16)), "url": f"{url}/git/{name}", "object": what}


def _known(world: World, of: Signature) -> Json | None:
    login = of.email.split("@")[0].split("+")[-1].lower()
    found = world.users.get(login) if of.email.endswith("@users.noreply.github.com") else None
    return views.user(world, found) if found else None


def _tree(world: World, at: Repository, one: Commit) -> Json:
    return {"sha": one.tree, "url": f"{views.repository_url(world, at)}/git/trees/{one.tree}"}
