"""Who may what: people's permissions and the repository's rulesets."""

import re
from typing import Any, get_args

from .connection import Connection
from .values import Permission

#: What a ruleset is made of. The rest of GitHub's answer is about it.
PARTS = ("name", "target", "enforcement", "bypass_actors", "conditions", "rules")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?")
_NAMES = frozenset(get_args(Permission))


def permission(connection: Connection, login: str) -> Permission:
    """What a person may do here; ``none`` where GitHub knows no such person.

    ``role_name`` tells maintain from write and triage from read. A role that an organisation made up is what it was
    made from.
    """
    from github3.exceptions import NotFoundError

    if not _LOGIN.fullmatch(login):
        return "none"
    try:
        found = connection.get("collaborators", login, "permission")
    except NotFoundError:
        return "none"
    known: list[Permission] = [name for name in (found["role_name"], found["permission"]) if name in _NAMES]
    return known[0] if known else "none"


def ruleset(connection: Connection, name: str) -> dict[str, Any] | None:
    """A ruleset of this repository as ``put_ruleset`` takes it; None: there is none of this name."""
    number = _number(connection, name)
    if number is None:
        return None
    found = connection.get("rulesets", number)
    return {part: found[part] for part in PARTS if part in found}


def put_ruleset(connection: Connection, document: dict[str, Any]) -> None:
    """Make the ruleset of this name what the document says."""
    number = _number(connection, document["name"])
    if number is None:
        connection.send("POST", connection.url("rulesets"), document)
    else:
        connection.send("PUT", connection.url("rulesets", number), document)


def _number(connection: Connection, name: str) -> int | None:
    """The organisation's rulesets are listed too, but aren't the repository's to change."""
    for found in connection.pages("rulesets", includes_parents="false"):
        if found["name"] == name and found.get("source_type", "Repository") == "Repository":
            return int(found["id"])
    return None
