"""From a YAML document to a strict type, with every problem named: file, line, what is wrong, what to do."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .base import StrictModel
from .errors import Problem
from .yamlfile import Document, Location

Value = TypeVar("Value", bound=StrictModel)

_DURATION = "Write a duration such as P30D, PT6H or PT15M."
_HINTS = {
    "missing": "Add it.",
    "string_type": "Write text here.",
    "int_type": "Write a whole number here.",
    "float_type": "Write a number here.",
    "bool_type": "Write true or false.",
    "tuple_type": "Write a list here.",
    "dict_type": "Write a mapping here.",
    "model_type": "Write a mapping here.",
    "string_pattern_mismatch": "Use lower-case letters, digits and underscores, beginning with a letter.",
    "too_short": "Write at least one.",
    "time_delta_type": _DURATION,
    "time_delta_parsing": _DURATION,
}
_WORDS = {"Input should": "this should", "String should": "this should", "Tuple should": "this should",
          "valid array": "list", "valid dictionary": "mapping", "valid string": "text"}  # fmt: skip


def suggest(name: str, known: Iterable[str]) -> str:
    """``Did you mean x?``, or the names there are, or nothing."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"There is: {', '.join(names)}." if 0 < len(names) <= 24 else ""


def validate(model: type[Value], document: Document) -> tuple[Value | None, list[Problem]]:
    """The value, and what is wrong. Unknown keys are left out of it, so that later guards can speak too."""
    try:
        return _parse(model, document.value), []
    except ValidationError as error:
        problems, unknown = _problems(model, document, error.errors(include_url=False))
    if len(problems) > len(unknown):
        return None, problems
    return _parse(model, _without(document.value, unknown)), problems


def _parse(model: type[Value], value: Any) -> Value:
    # JSON in strict mode: "12" is no number, 30 is no duration, but lists become tuples.
    return model.model_validate_json(json.dumps(value, ensure_ascii=False), strict=True)


def _problems(
    model: type[StrictModel], document: Document, errors: Sequence[ErrorDetails]
) -> tuple[list[Problem], list[Location]]:
    """One problem a place (a union reports one error a branch), and the locations of unknown keys."""
    grouped: dict[Location, list[ErrorDetails]] = {}
    for error in errors:
        grouped.setdefault(_place(document.value, error), []).append(error)
    problems = [_problem(model, document, loc, group) for loc, group in grouped.items()]
    unknown = [loc for loc, group in grouped.items() if all(e["type"] == "extra_forbidden" for e in group)]
    return problems, unknown


def _place(value: Any, error: ErrorDetails) -> Location:
    """pydantic's location without union tags, which stand in no file; a missing or choosing key's name is added."""
    place: list[str | int] = []
    for part in error["loc"]:
        inner = _inner(value, part)
        if inner is not None:
            value = inner[0]
            place.append(part)
    if error["type"] == "missing":
        place.append(error["loc"][-1])
    if error["type"] == "union_tag_invalid":
        place.append(error["ctx"]["discriminator"].strip("'"))
    return tuple(place)


def _inner(value: Any, part: str | int) -> tuple[Any] | None:
    if isinstance(value, dict) and part in value:
        return (value[part],)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return (value[part],)
    return None


def _problem(model: type[StrictModel], document: Document, loc: Location, group: list[ErrorDetails]) -> Problem:
    error = group[0]
    kind = error["type"]
    if kind == "extra_forbidden":
        known = {name for owner in _models_at(model, error["loc"][:-1]) for name in owner.model_fields}
        message, hint = "unknown key.", suggest(str(loc[-1]), known)
    else:
        message = "; or ".join(dict.fromkeys(_words(e) for e in group)) + "."
        hint = _HINTS.get(kind, "") or _expected(error)
    return document.problem(loc, message, hint, code=kind.replace("_", "-"))


def _words(error: ErrorDetails) -> str:
    if error["type"] == "missing":
        return "this key is missing"
    if error["type"] == "union_tag_not_found":
        return f"the key {error['ctx']['discriminator']} is missing"
    if error["type"] == "union_tag_invalid":
        return f"{error['ctx']['tag']} is not known here"
    text = error["msg"].removeprefix("Value error, ")
    for theirs, ours in _WORDS.items():
        text = text.replace(theirs, ours)
    if isinstance(error["input"], str | int | float | bool):
        return f"{text}, not {str(error['input'])[:60]!r}"
    return text


def _expected(error: ErrorDetails) -> str:
    """The closest of the values that pydantic lists as allowed."""
    context: Mapping[str, Any] = error.get("ctx") or {}
    names = str(context.get("expected_tags") or context.get("expected") or "")
    known = [name.strip(" '") for name in names.replace(" or ", ",").split(",") if name.strip(" '")]
    given = context.get("tag", error["input"])
    return suggest(str(given), known) if known else ""


def _models_at(model: type[BaseModel], loc: Location) -> list[type[BaseModel]]:
    """The models that may stand at ``loc``; union tags choose among them."""
    found: list[type[BaseModel]] = [model]
    for part in loc:
        if not isinstance(part, str):
            continue
        inner = [m for owner in found if part in owner.model_fields for m in _models_in(owner.model_fields[part])]
        tagged = [m for m in found if part in _literals(m)]
        found = inner or tagged or found
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    annotation = getattr(annotation, "annotation", annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in get_args(annotation) for m in _models_in(inner)]


def _literals(model: type[BaseModel]) -> set[Any]:
    return {value for field in model.model_fields.values() for value in get_args(field.annotation)}


def _without(value: Any, unknown: list[Location]) -> Any:
    """A copy of ``value`` that lacks the keys at ``unknown``."""
    copy = json.loads(json.dumps(value))
    for loc in unknown:
        owner = copy
        for part in loc[:-1]:
            owner = owner[part]
        owner.pop(loc[-1], None)
    return copy
