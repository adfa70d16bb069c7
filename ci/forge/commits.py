"""Commits and branches through the git data API: no clone, no working folder, no push."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from .connection import Connection
from .failures import MovedError, is_rule, message_of
from .patience import UnsettledError

_FILE = {"mode": "100644", "type": "blob"}


def commit(connection: Connection, branch: str, parent: str, files: Mapping[str, bytes | None], message: str) -> str:
    """One commit on top of ``parent``, fast-forward; the branch's head afterwards.

    ``files`` are whole files by path; None deletes. Where the branch's head has the parent and the very tree already,
    that is the answer, and where the files change nothing, ``parent``.

    Raises:
        MovedError: the branch is not at ``parent`` any more, or gone.
    """
    head = _head(connection, branch)
    if head is None or (head != parent and parent not in _parents(connection, head)):
        raise _moved(branch, parent, head)
    before = connection.repository.git_commit(parent).tree.sha
    entries = list(_entries(connection, parent, files))
    tree = connection.repository.create_tree(entries, before).sha if entries else before
    if tree == before and head == parent:
        return parent
    if head != parent:
        return _same(connection, branch, parent, head, tree)
    made = connection.repository.create_commit(message, tree, [parent]).sha
    return _forward(connection, branch, parent, str(made), tree)


def create_branch(connection: Connection, name: str, sha: str) -> None:
    """A branch at ``sha``. One that is there, or has one commit more, stays as it is.

    Raises:
        MovedError: there is one that stands elsewhere.
    """
    from github3.exceptions import UnprocessableEntity

    head = _head(connection, name)
    if head is None:
        try:
            connection.repository.create_branch_ref(name, sha)
        except UnprocessableEntity as error:
            if "already exists" not in message_of(error):
                raise
            raise UnsettledError(f"the branch {name} was made by another at the same time") from None
    elif head != sha and _parents(connection, head) != [sha]:
        raise _moved(name, sha, head)


def _forward(connection: Connection, branch: str, parent: str, made: str, tree: str) -> str:
    """Move the branch. GitHub does it only from the parent, so that whoever was faster is not overwritten."""
    from github3.exceptions import UnprocessableEntity

    try:
        connection.send("PATCH", connection.url("git", "refs", "heads", *branch.split("/")), {"sha": made})
    except UnprocessableEntity as error:
        head = _head(connection, branch)
        if is_rule(error) or head == parent:
            raise
        return _same(connection, branch, parent, head, tree)
    return made


def _same(connection: Connection, branch: str, parent: str, head: str | None, tree: str) -> str:
    """The head, where it is the same commit made before."""
    found = connection.repository.git_commit(head) if head else None
    if found is None or (found.tree.sha, [p["sha"] for p in found.parents]) != (tree, [parent]):
        raise _moved(branch, parent, head)
    return str(found.sha)


def _entries(connection: Connection, parent: str, files: Mapping[str, bytes | None]) -> Iterator[dict[str, Any]]:
    """Entries of a tree. GitHub refuses to delete what isn't there, so that is left out."""
    for path, data in sorted(files.items()):
        if data is not None:
            sha = connection.repository.create_blob(b64encode(data).decode(), "base64")
            yield {"path": path, **_FILE, "sha": sha}
        elif _exists(connection, parent, path):
            yield {"path": path, **_FILE, "sha": None}


def _exists(connection: Connection, commit: str, path: str) -> bool:
    from github3.exceptions import NotFoundError

    try:
        connection.get("contents", *path.split("/"), ref=commit)
    except NotFoundError:
        return False
    return True


def _head(connection: Connection, branch: str) -> str | None:
    from github3.exceptions import NotFoundError

    try:
        return str(connection.get("git", "ref", "heads", *branch.split("/"))["object"]["sha"])
    except NotFoundError:
        return None


def _parents(connection: Connection, commit: str) -> list[str]:
    return [parent["sha"] for parent in connection.repository.git_commit(commit).parents]


def _moved(branch: str, expected: str, head: str | None) -> MovedError:
    now = f"is at {head[:12]}" if head else "is gone"
    return MovedError(
        f"The branch {branch} {now}, not at {expected[:12]} any more. Nothing was written: judge the new head."
    )
