"""Pull requests: found, read and opened."""

from . import reading
from .connection import Connection
from .failures import message_of
from .patience import UnsettledError
from .values import PullRequest


def pull(connection: Connection, number: int) -> PullRequest:
    """One pull request."""
    return reading.pull_request(connection.repository.pull_request(number).as_dict())


def pulls_with_head(connection: Connection, sha: str, head_repository: str | None) -> tuple[PullRequest, ...]:
    """Open pull requests whose head is this very commit of this very repository, the oldest first.

    GitHub names none to a workflow that runs after a fork's, so they are looked up: a commit's hash and the
    repository come from GitHub, a number in an artifact would come from a stranger.
    """
    found = (reading.pull_request(p.as_dict()) for p in connection.repository.pull_requests(state="open"))
    kept = (pull for pull in found if (pull.head, pull.head_repository) == (sha, head_repository))
    return tuple(sorted(kept, key=lambda pull: pull.number))


def pulls_of_commit(connection: Connection, sha: str) -> tuple[PullRequest, ...]:
    """Pull requests that a commit belongs to, merged ones included."""
    return tuple(reading.pull_request(found) for found in connection.pages("commits", sha, "pulls"))


def pull_of_branch(connection: Connection, branch: str, base: str) -> PullRequest | None:
    """The open pull request of a branch of this repository onto ``base``; None: there is none."""
    repository = connection.repository
    found = repository.pull_requests(state="open", head=f"{repository.owner.login}:{branch}", base=base)
    return next((reading.pull_request(one.as_dict()) for one in found), None)


def open_pull(connection: Connection, branch: str, base: str, title: str, body: str) -> PullRequest:
    """The open pull request of a branch of this repository onto ``base``, made or brought up to date."""
    from github3.exceptions import UnprocessableEntity

    repository = connection.repository
    head = f"{repository.owner.login}:{branch}"
    found = next(iter(repository.pull_requests(state="open", head=head, base=base)), None)
    if found is None:
        try:
            found = repository.create_pull(title, base, branch, body)
        except UnprocessableEntity as error:
            if "already exists" not in message_of(error):
                raise
            raise UnsettledError(f"another opened the pull request of {branch} at the same time") from None
    elif (found.title, found.body or "") != (title, body):
        found.update(title=title, body=body)
        return pull(connection, found.number)
    return reading.pull_request(found.as_dict())
