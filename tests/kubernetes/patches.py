"""Merge patches (RFC 7386) and JSON patches (RFC 6902): pure."""

import copy
from typing import Any

from tests.kubernetes.refusals import Refusal


def merged(document: Any, patch: Any) -> Any:
    """A merge patch applied: None takes a key away."""
    if not isinstance(patch, dict):
        return patch
    made = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merged(made.get(key), value)
    return made


def patched(document: Any, operations: list[dict[str, Any]]) -> Any:
    """A JSON patch applied: add, replace, remove and test.

    Raises:
        Refusal: 422, an operation does not fit.
    """
    made = copy.deepcopy(document)
    for each in operations:
        _apply(made, each)
    return made


def _apply(document: Any, operation: dict[str, Any]) -> None:
    what, (*path, last) = operation["op"], _pointer(operation["path"])
    try:
        place = document
        for part in path:
            place = place[int(part) if isinstance(place, list) else part]
        index: Any = len(place) if last == "-" else int(last) if isinstance(place, list) else last
        _done(what, place, index, operation.get("value"))
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise Refusal(422, "Invalid", f"the patch does not fit: {operation}: {error!r}") from error


def _done(what: str, place: Any, index: Any, value: Any) -> None:
    if what == "add" and isinstance(place, list):
        place.insert(index, value)
    elif what == "add":
        place[index] = value
    elif what == "remove":
        del place[index]
    elif what == "replace":
        place[index]  # it must be there
        place[index] = value
    elif what != "test" or place[index] != value:
        raise ValueError("not played" if what != "test" else f"it is {place[index]!r}")


def _pointer(text: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]
