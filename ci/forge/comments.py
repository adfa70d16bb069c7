"""The one sticky comment of a pull request."""

from typing import Any

from .connection import Connection
from .patience import UnsettledError


def say(connection: Connection, number: int, marker: str, body: str) -> str:
    """Make our comment with ``marker`` say ``body``; its address.

    Ours is the oldest that has the marker and was written by our own identity: anybody can copy a marker. Two writers
    at a time may each have made one, so whoever comes last looks again, writes into the oldest and deletes the rest.
    """
    if marker not in body:
        raise ValueError("a comment without its marker would never be found again")
    pull = connection.repository.pull_request(number)
    found = _ours(connection, pull, marker)
    if not found:
        made = pull.create_comment(body)
        found = _ours(connection, pull, marker) or [made]
    first, *copies = found
    if first.body.strip() != body.strip():
        _edit(first, body)
    for copy in copies:
        copy.delete()
    return str(first.html_url)


def _ours(connection: Connection, pull: Any, marker: str) -> list[Any]:
    """github3.py's comments, the oldest first."""
    marked = [comment for comment in pull.issue_comments() if marker in (comment.body or "")]
    # Whose token it is costs a request; most pull requests without a comment of ours have none with its marker.
    return sorted((c for c in marked if c.user.login == connection.identity), key=lambda comment: int(comment.id))


def _edit(comment: Any, body: str) -> None:
    from github3.exceptions import NotFoundError

    try:
        comment.edit(body)
    except NotFoundError:
        raise UnsettledError("the comment was deleted while it was written") from None
