"""Commit statuses."""

from tests.github import views_checks
from tests.github.exchange import Answer, Call, GitHubError, operation
from tests.github.world import Status


@operation("POST REPO/statuses/{sha}", "statuses")
def create(call: Call) -> Answer:
    """A new one; the newest of each context counts."""
    asked, sha = call.json, call.params["sha"]
    if call.bare.kind(sha) != "commit":
        raise GitHubError(422, f"No commit found for SHA: {sha}")
    words = (asked["state"], asked.get("context", "default"), asked.get("description"), asked.get("target_url"))
    made = Status(call.world.next_id(), sha, *words, call.by.user, call.by.app)
    call.repository.statuses.append(made)
    return Answer(201, views_checks.status(call.world, call.repository, made))


@operation("GET REPO/commits/{ref}/statuses", "statuses")
def statuses(call: Call) -> Answer:
    """Newest first."""
    sha = call.commit()
    found = [one for one in call.repository.statuses if one.sha == sha][::-1]
    return call.page(found, lambda one: views_checks.status(call.world, call.repository, one))


@operation("GET REPO/commits/{ref}/status", "statuses")
def combined(call: Call) -> Answer:
    """All in one word."""
    return Answer(200, views_checks.combined(call.world, call.repository, call.commit()))
