"""Pull requests as issues, and the comments on them."""

from tests.github import views_pulls
from tests.github.exchange import Answer, Call, GitHubError, invalid, not_found, operation
from tests.github.world import Comment, now

#: GitHub's limit, in characters; its description doesn't say it.
LONGEST = 65536
BOTH = ("issues", "pull_requests")


@operation("GET REPO/issues/{issue_number}", *BOTH)
def issue(call: Call) -> Answer:
    """A pull request as an issue."""
    return Answer(200, views_pulls.issue(call.world, call.repository, call.pull("issue_number"), call.accept))


@operation("GET REPO/issues/{issue_number}/comments", *BOTH)
def comments(call: Call) -> Answer:
    """Oldest first."""
    number = call.pull("issue_number").number
    found = [one for one in call.repository.comments.values() if one.number == number]
    found = [one for one in found if one.updated_at >= call.query.get("since", "")]
    return call.page(found, lambda one: views_pulls.comment(call.world, call.repository, one, call.accept))


@operation("POST REPO/issues/{issue_number}/comments", *BOTH, people="read")
def create(call: Call) -> Answer:
    """A new one, by anybody who may read."""
    pull, text = call.pull("issue_number"), _text(call)
    made = Comment(call.world.next_id(), pull.number, call.by.user, call.by.app, text)
    call.repository.comments[made.id] = made
    return Answer(201, views_pulls.comment(call.world, call.repository, made, call.accept))


@operation("GET REPO/issues/comments/{comment_id}", *BOTH)
def comment(call: Call) -> Answer:
    """One."""
    return Answer(200, views_pulls.comment(call.world, call.repository, _comment(call), call.accept))


@operation("PATCH REPO/issues/comments/{comment_id}", *BOTH, people="read")
def edit(call: Call) -> Answer:
    """Another text, by its author or who may write."""
    one = _own_comment(call)
    one.body, one.updated_at = _text(call), now()
    return Answer(200, views_pulls.comment(call.world, call.repository, one, call.accept))


@operation("DELETE REPO/issues/comments/{comment_id}", *BOTH, people="read")
def delete(call: Call) -> Answer:
    """Gone, by its author or who may write."""
    del call.repository.comments[_own_comment(call).id]
    return Answer(204)


def _text(call: Call) -> str:
    text: str = call.json["body"]
    if not text.strip():
        raise invalid("IssueComment", "body", "missing_field")
    if len(text) > LONGEST:
        raise invalid("IssueComment", "body", "custom", f"body is too long (maximum is {LONGEST} characters)")
    return text


def _comment(call: Call) -> Comment:
    found = call.repository.comments.get(call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


def _own_comment(call: Call) -> Comment:
    one = _comment(call)
    if call.by.app is None and one.user is not call.by.user and not call.repository.may(call.by.user, "write"):
        raise GitHubError(403, "Must have push access to Repository.")
    return one
