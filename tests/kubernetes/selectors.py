"""Label and field selectors, as the API takes them. Pure."""

import re
from collections.abc import Callable
from typing import Any

from tests.kubernetes.refusals import Refusal

Fits = Callable[[dict[str, Any]], bool]
_SET = re.compile(r"\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*")
_EQUAL = re.compile(r"\s*([^\s!=]+)\s*(==|!=|=)\s*(\S*)\s*")
_BARE = re.compile(r"\s*(!?)\s*([^\s!=]+)\s*")


def by_labels(selector: str) -> Fits:
    """Whether an object fits a ``labelSelector``: ``a=b,c!=d,e,!f,g in (h,i)``.

    Raises:
        Refusal: 400, it is none.
    """
    parts = [part for part in re.split(r",(?![^(]*\))", selector) if part.strip()]
    terms = [_term(part) for part in parts]
    return lambda found: all(term((found["metadata"].get("labels")) or {}) for term in terms)


def by_fields(selector: str) -> Fits:
    """Whether an object fits a ``fieldSelector``: equality alone."""
    pairs = [part.replace("==", "=").split("=", 1) for part in selector.split(",") if part]
    return lambda found: all(_at(found, path) == wanted for path, wanted in pairs)


def _term(text: str) -> Callable[[dict[str, str]], bool]:
    if found := _SET.fullmatch(text):
        key, word, values = found[1], found[2], {each.strip() for each in found[3].split(",")}
        return lambda labels: (labels.get(key) in values) == (word == "in")
    if found := _EQUAL.fullmatch(text):
        key, sign, value = found.groups()
        return lambda labels: (labels.get(key) == value) == (sign != "!=")
    if found := _BARE.fullmatch(text):
        no, key = found.groups()
        return lambda labels: (key in labels) == (not no)
    raise Refusal(400, "BadRequest", f"unable to parse requirement: {text!r}")


def _at(found: Any, path: str) -> Any:
    for part in path.split("."):
        found = (found or {}).get(part)
    return found
