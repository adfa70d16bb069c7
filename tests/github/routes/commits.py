"""Commits, the pull requests that they belong to, and comparisons."""

from typing import Any

from tests.github import views, views_git, views_pulls
from tests.github.differences import changes_between
from tests.github.exchange import Answer, Call, not_found, operation
from tests.github.world import Pull, Repository


@operation("GET REPO/commits", "contents")
def commits(call: Call) -> Answer:
    """Newest first, of a branch and a path where asked for."""
    start = call.bare.resolve(call.query.get("sha") or call.repository.default_branch)
    if start is None:
        raise not_found()
    paths = ["--", call.query["path"]] if "path" in call.query else []
    return call.page(call.bare.commits(start, *paths), lambda one: views_git.commit(call.world, call.repository, one))


@operation("GET REPO/commits/{ref}", "contents")
def commit(call: Call) -> Answer:
    """One, with its files; or its sha alone."""
    sha = call.commit()
    if "sha" in call.accept:
        return Answer(200, sha.encode(), kind="application/vnd.github.sha")
    one = call.bare.commit(sha)
    before = one.parents[0] if one.parents else call.bare.text("hash-object", "-t", "tree", "/dev/null")
    changes = changes_between(call.bare, before, sha)
    files = [views_git.change(call.world, call.repository, sha, change) for change in changes]
    added, removed = sum(file["additions"] for file in files), sum(file["deletions"] for file in files)
    stats = {"additions": added, "deletions": removed, "total": added + removed}
    return Answer(200, views_git.commit(call.world, call.repository, one) | {"files": files, "stats": stats})


@operation("GET REPO/commits/{commit_sha}/pulls", "pull_requests", "contents")
def pulls(call: Call) -> Answer:
    """What brought the commit into the default branch; before that, the open ones that hold it."""
    sha = call.commit("commit_sha")
    found = [pull for pull in call.repository.pulls.values() if _holds(call, pull, sha)]
    merged = [pull for pull in found if pull.merged_at and pull.base_branch == call.repository.default_branch]
    chosen = merged or [pull for pull in found if pull.state == "open"]
    return call.page(chosen, lambda pull: views_pulls.simple_pull(call.world, call.repository, pull, call.accept))


@operation("GET REPO/compare/{basehead}", "contents")
def compare(call: Call) -> Answer:
    """What the second has and the first doesn't; either may be OWNER:BRANCH of a fork."""
    first, dots, second = call.params["basehead"].partition("...")
    base, head = _tip(call, first), _tip(call, second)
    start = call.bare.merge_base(base, head) if dots else None
    if start is None:
        raise not_found()
    return Answer(200, _comparison(call, base, head, start))


def _comparison(call: Call, base: str, head: str, start: str) -> dict[str, Any]:
    def render(sha: str) -> dict[str, Any]:
        return views_git.commit(call.world, call.repository, call.bare.commit(sha))

    ahead = call.bare.commits("--reverse", f"{base}..{head}")
    behind = call.bare.count(f"{head}..{base}")
    words = {(False, False): "identical", (True, False): "ahead", (False, True): "behind", (True, True): "diverged"}
    web = f"{call.world.url}/{call.repository.full_name}/compare/{call.params['basehead']}"
    changes = changes_between(call.bare, start, head)
    return {
        "url": f"{views.repository_url(call.world, call.repository)}/compare/{call.params['basehead']}",
        "html_url": web,
        "permalink_url": f"{web}?permalink",
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "base_commit": render(base),
        "merge_base_commit": render(start),
        "status": words[bool(ahead), bool(behind)],
        "ahead_by": len(ahead),
        "behind_by": behind,
        "total_commits": len(ahead),
        "commits": [views_git.commit(call.world, call.repository, one) for one in ahead],
        "files": [views_git.change(call.world, call.repository, head, change) for change in changes[:300]],
    }


def _tip(call: Call, name: str) -> str:
    owner, _, branch = name.rpartition(":")
    sha = _source(call, owner).bare.resolve(branch)
    if sha is None:
        raise not_found()
    if call.bare.kind(sha) is None:
        call.bare.git("fetch", "--quiet", "--no-tags", _source(call, owner).bare.path, sha)
    return sha


def _source(call: Call, owner: str) -> Repository:
    for one in (call.repository, *call.world.forks(call.repository)):
        if not owner or one.owner.login.lower() == owner.lower():
            return one
    raise not_found()


def _holds(call: Call, pull: Pull, sha: str) -> bool:
    if sha == pull.merge_commit and pull.merged_at:
        return True
    return call.bare.is_ancestor(sha, pull.head) and not call.bare.is_ancestor(sha, pull.base)
