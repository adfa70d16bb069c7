"""Refs by the git data API. A protected branch is not moved by it."""

import re

from tests.github import movement, rules, views_git
from tests.github.bare import GitError
from tests.github.exchange import Answer, Call, GitHubError, not_found, operation


@operation("GET REPO/git/ref/{ref}", "contents")
def ref(call: Call) -> Answer:
    """One, by its whole name."""
    name = f"refs/{call.params['ref']}"
    sha = call.bare.refs(name).get(name)
    if sha is None:
        raise not_found()
    return Answer(200, views_git.ref(call.world, call.repository, name, sha))


@operation("GET REPO/git/matching-refs/{ref}", "contents")
def matching(call: Call) -> Answer:
    """All whose names begin so."""
    start = f"refs/{call.params['ref']}"
    found = [item for item in sorted(call.bare.refs("refs/").items()) if item[0].startswith(start)]
    return call.page(found, lambda item: views_git.ref(call.world, call.repository, *item))


@operation("POST REPO/git/refs", "contents")
def create(call: Call) -> Answer:
    """A new branch or tag."""
    name, sha = call.json["ref"], call.json["sha"]
    _valid(call, name)
    if name in call.bare.refs(name):
        raise GitHubError(422, "Reference already exists")
    return Answer(201, move(call, name, None, sha))


@operation("PATCH REPO/git/refs/{ref}", "contents")
def update(call: Call) -> Answer:
    """Moved on; back only with force."""
    name, sha = f"refs/{call.params['ref']}", call.json["sha"]
    old = _old(call, name)
    if call.bare.kind(sha) == "commit" and not call.json.get("force", False) and not call.bare.is_ancestor(old, sha):
        raise GitHubError(422, "Update is not a fast forward")
    return Answer(200, move(call, name, old, sha))


@operation("DELETE REPO/git/refs/{ref}", "contents")
def delete(call: Call) -> Answer:
    """Gone."""
    name = f"refs/{call.params['ref']}"
    refuse_protected(call, name, _old(call, name), None)
    call.bare.delete(name)
    movement.look(call.world, call.repository, call.by)
    return Answer(204)


def move(call: Call, name: str, old: str | None, sha: str) -> dict[str, object]:
    """Sets a ref where the rules allow it."""
    if call.bare.kind(sha) is None:
        raise GitHubError(422, "Object does not exist")
    refuse_protected(call, name, old, sha)
    refuse_workflows(call, sha)
    call.bare.write(name, sha)
    movement.look(call.world, call.repository, call.by)
    return views_git.ref(call.world, call.repository, name, sha)


def refuse_protected(call: Call, name: str, old: str | None, new: str | None, status: int = 422) -> None:
    """Raises where the rules of a branch ask for a pull request, or for checks that are missing."""
    if name.startswith("refs/heads/"):
        problems = rules.push_problems(call.repository, name.removeprefix("refs/heads/"), old, new, call.by)
        if problems:
            raise GitHubError(status, "Repository rule violations found\n\n" + "\n\n".join(problems))


def refuse_workflows(call: Call, sha: str) -> None:
    """An App brings new workflow files only with the permission ``workflows``, which a GITHUB_TOKEN never has."""
    if call.by.app is None or call.by.permissions.get("workflows") == "write":
        return
    if call.bare.text("log", "--format=%H", sha, "--not", "--branches", "--", ".github/workflows"):
        raise GitHubError(403, "Resource not accessible by integration")


def _old(call: Call, name: str) -> str:
    old = call.bare.refs(name).get(name)
    if old is None:
        raise GitHubError(422, "Reference does not exist")
    return old


def _valid(call: Call, name: str) -> None:
    try:
        call.bare.git("check-ref-format", name)
    except GitError as error:
        raise GitHubError(422, f"{name} is not a valid ref name.") from error
    if not re.match("refs/(heads|tags)/", name):
        raise GitHubError(422, "Reference name must start with 'refs/heads/' or 'refs/tags/'.")
