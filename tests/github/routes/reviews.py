"""Reviews and who is asked for one."""

from tests.github import views, views_pulls
from tests.github.exchange import Answer, Call, GitHubError, not_found, operation
from tests.github.world import Review

STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@operation("GET REPO/pulls/{pull_number}/reviews", "pull_requests")
def reviews(call: Call) -> Answer:
    """Oldest first."""
    pull = call.pull()
    return call.page(pull.reviews, lambda one: views_pulls.review(call.world, call.repository, pull, one, call.accept))


@operation("POST REPO/pulls/{pull_number}/reviews", "pull_requests", people="read")
def create(call: Call) -> Answer:
    """A new one; nobody approves what is their own."""
    pull, asked = call.pull(), call.json
    event = asked.get("event", "COMMENT")
    if call.by.user is pull.user and event != "COMMENT":
        word = "approve" if event == "APPROVE" else "request changes on"
        raise GitHubError(422, "Unprocessable Entity", [f"Can not {word} your own pull request"])
    made = Review(
        call.world.next_id(), call.by.user, STATES[event], asked.get("body", ""), asked.get("commit_id", pull.head)
    )
    pull.reviews.append(made)
    return Answer(200, views_pulls.review(call.world, call.repository, pull, made, call.accept))


@operation("PUT REPO/pulls/{pull_number}/reviews/{review_id}/dismissals", "pull_requests")
def dismiss(call: Call) -> Answer:
    """One that doesn't count any more."""
    pull, number = call.pull(), call.number("review_id")
    found = next((one for one in pull.reviews if one.id == number), None)
    if found is None:
        raise not_found()
    found.state = "DISMISSED"
    return Answer(200, views_pulls.review(call.world, call.repository, pull, found, call.accept))


@operation("GET REPO/pulls/{pull_number}/requested_reviewers", "pull_requests")
def asked_for(call: Call) -> Answer:
    """Who is asked."""
    return Answer(200, {"users": [views.user(call.world, one) for one in call.pull().reviewers], "teams": []})


@operation("POST REPO/pulls/{pull_number}/requested_reviewers", "pull_requests")
def ask_for(call: Call) -> Answer:
    """Ask some more: people who may read here."""
    pull = call.pull()
    for login in call.json.get("reviewers", []):
        user = call.world.users.get(login.lower())
        if user is None or user is pull.user or user.login.lower() not in call.repository.people:
            raise GitHubError(422, "Reviews may only be requested from collaborators.")
        pull.reviewers += [] if user in pull.reviewers else [user]
    return Answer(201, views_pulls.simple_pull(call.world, call.repository, pull, call.accept))
