"""Labels put on a pull request and taken off."""

from collections.abc import Iterable

from .connection import Connection
from .failures import message_of
from .labels import LABELS, OWNED

# Through the pull request and not github3.py's Issue: reading an issue asks for one right more.


def label(connection: Connection, number: int, owned: frozenset[str], wanted: frozenset[str]) -> None:
    """Of the ``owned`` labels exactly the ``wanted``; nobody else's is touched.

    Raises:
        ValueError: a label is asked for that isn't owned, or that isn't ours to put.
    """
    if not wanted <= owned or not owned <= OWNED:
        raise ValueError(f"not ours to put or take: {sorted((wanted - owned) | (owned - OWNED))}")
    there = _there(connection, number)
    missing = sorted(name for name in wanted if name not in there)
    if missing:
        create_missing(connection, missing)
        connection.send("POST", connection.url("issues", number, "labels"), {"labels": missing})
    for name in sorted((owned - wanted) & there.keys()):
        _take(connection, number, there[name])


def unlabel(connection: Connection, number: int, name: str) -> bool:
    """Take a label off; whether it was there."""
    there = _there(connection, number)
    if name.lower() not in there:
        return False
    _take(connection, number, there[name.lower()])
    return True


def create_missing(connection: Connection, names: Iterable[str]) -> tuple[str, ...]:
    """Create those labels of the table that the repository lacks; which."""
    from github3.exceptions import UnprocessableEntity

    made = []
    for name in names:
        if _exists(connection, name):
            continue
        try:
            connection.repository.create_label(name, LABELS[name].color, LABELS[name].description)
        except UnprocessableEntity as error:
            if "already_exists" not in message_of(error):
                raise
        made.append(name)
    return tuple(made)


def _there(connection: Connection, number: int) -> dict[str, str]:
    """The pull request's labels as GitHub spells them, by their names in lower case: GitHub tells no case apart."""
    pull = connection.repository.pull_request(number).as_dict()
    return {found["name"].lower(): found["name"] for found in pull["labels"]}


def _take(connection: Connection, number: int, name: str) -> None:
    from github3.exceptions import NotFoundError

    try:
        connection.send("DELETE", connection.url("issues", number, "labels", name))
    except NotFoundError:
        return  # Another was faster, or the answer to our first try got lost.


def _exists(connection: Connection, name: str) -> bool:
    from github3.exceptions import NotFoundError

    try:
        connection.get("labels", name)
    except NotFoundError:
        return False
    return True
