"""The Open Data Contract Standard's own JSON Schema, its complaints in words that say what to do.

https://bitol-io.github.io/open-data-contract-standard. jsonschema's ``best_match`` misleads where the schema branches
by ``type``; each error is therefore worded here, and a branch's after-effects are left out.
"""

import json
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from .errors import Problem
from .yamlfile import Document, Location, value_at

if TYPE_CHECKING:
    from jsonschema import Draft201909Validator
    from jsonschema_rs import Draft201909Validator as Judge

_TYPES = {
    "boolean": "Write true or false, without quotes.",
    "string": "Write text; put it in quotes if it looks like a number.",
    "number": "Write a number, without quotes.",
    "integer": "Write a whole number, without quotes.",
    "array": "Write a list: each entry on a line of its own, beginning with `- `.",
    "object": "Write keys and values, each on a line of its own.",
}


def schema_problems(document: Document, skip: Collection[Location] = ()) -> list[Problem]:
    """Everything that the standard's schema refuses in the raw YAML; nothing at or below the locations in ``skip``."""
    if _is_valid(document.value):
        return []
    errors = [
        error
        for error in _leaves(_validator().iter_errors(document.value))
        if not any(_location(error)[: len(location)] == location for location in skip)
    ]
    told = [error for error in errors if not _after_effect(document, error, errors)]
    return list(dict.fromkeys(problem for error in told for problem in _problems(document, error)))


def did_you_mean(word: str, known: Sequence[str], used: Collection[str] = ()) -> str:
    """A hint: the closest known word that is not in use already, or all of them when they are few."""
    lower = {name.lower(): name for name in known if name not in used}
    close = get_close_matches(word.lower()[:100], list(lower), n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{lower[close[0]]}`?"
    return f"Known are: {', '.join(known)}." if len(known) <= 45 else "See the standard's reference for this place."


@cache
def _schema() -> dict[str, Any]:
    from importlib.resources import files

    text = files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _is_valid(value: Any) -> bool:
    """Whether the schema refuses nothing: told in milliseconds. jsonschema, whose errors can be worded, is slow.

    What JSON has no form for (a date, a key that is a number) is left to the slower one.
    """
    try:
        return _judge().is_valid(value)
    except ValueError:
        return False


@cache
def _judge() -> "Judge":
    from jsonschema_rs import Draft201909Validator as Judge

    return Judge(_schema())


@cache
def _validator() -> "Draft201909Validator":
    # jsonschema compiles an IRI grammar (1.2 s) at import when rfc3987_syntax happens to be installed, for a format
    # that we do not check: the import is hidden from it.
    absent = "rfc3987_syntax" not in sys.modules
    if absent:
        sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    try:
        from jsonschema import Draft201909Validator
    finally:
        if absent:
            del sys.modules["rfc3987_syntax"]
    return Draft201909Validator(_schema())


def _leaves(errors: Iterator[Any]) -> Iterator[Any]:
    """Errors of the only alternative that could be meant, in place of an ``anyOf`` that names none."""
    for error in errors:
        deeper = [e for e in error.context or () if len(e.absolute_path) > len(error.absolute_path)]
        branches = {e.schema_path[0] for e in deeper}
        if error.validator in ("anyOf", "oneOf") and len(branches) == 1:
            yield from _leaves(iter(deeper))
        else:
            yield error


def _location(error: Any) -> Location:
    return tuple(error.absolute_path)


def _after_effect(document: Document, error: Any, errors: list[Any]) -> bool:
    """A key counts as unevaluated when its branch failed: then the branch's own error says more."""
    location = _location(error)
    if error.validator == "unevaluatedProperties" and not _unknown(error):
        return any(e is not error and _location(e)[: len(location)] == location for e in errors)
    if "logicalTypeOptions" in location:  # without a logicalType every type's options are tried
        column = value_at(document.value, location[: location.index("logicalTypeOptions")])
        return column.get("logicalType") in (None, "object", "array")
    return False


def _problems(document: Document, error: Any) -> Iterator[Problem]:
    location = _location(error)
    if error.validator in ("additionalProperties", "unevaluatedProperties"):
        for key in _unexpected(error):
            hint = did_you_mean(key, _names(error.schema), error.instance)
            message = f"`{key}` is not a key of the standard here."
            if location[-1:] == ("logicalTypeOptions",):
                message = f"`{key}` is no option of this logicalType."
            if key in _names(error.schema):
                message, hint = f"`{key}` does not apply here.", "Delete it, or correct the `type` beside it."
            yield document.problem((*location, key), message, hint, "odcs")
    elif error.validator == "required":
        missing = next(key for key in error.validator_value if repr(key) in error.message)
        hint = f"Add `{missing}: ...`."
        yield document.problem(location, f"`{missing}` is missing.", hint, "odcs")
    else:
        yield document.problem(location, *_worded(error), "odcs")


def _worded(error: Any) -> tuple[str, str]:
    """Message and hint for what is wrong with a value."""
    value, wanted = _shown(error.instance), error.validator_value
    if error.validator == "type":
        kinds = [wanted] if isinstance(wanted, str) else list(wanted)
        return f"{value} is not of type {' or '.join(kinds)}.", _TYPES.get(kinds[0], "")
    if error.validator == "enum":
        return f"{value} is not known.", did_you_mean(str(error.instance), [str(name) for name in wanted])
    if error.validator == "pattern":
        return f"{value} is not written as the standard asks.", f"It has to match {wanted}"
    if error.validator == "uniqueItems":
        return "an entry stands in the list twice.", "Delete one."
    if error.validator == "minItems":
        return f"the list needs at least {wanted} entries.", "Add what is missing, or delete the key."
    if error.validator in ("oneOf", "anyOf"):
        description = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
        return f"{value} has none of the forms that the standard allows.", description or "See its reference."
    return f"{error.message.rstrip('.')}.", "See the standard's reference for this key."


def _unexpected(error: Any) -> list[str]:
    """Keys that the error is about: those that no branch knows, else those that this branch does not take."""
    return _unknown(error) or [key for key in re.findall(r"'([^']*)'", error.message) if key in error.instance]


def _unknown(error: Any) -> list[str]:
    names = _names(error.schema)
    return [key for key in error.instance if key not in names]


def _names(schema: Any) -> list[str]:
    """Keys that a schema knows in any of its branches."""
    names: dict[str, None] = {}
    _collect(schema, names)
    return list(names)


def _collect(schema: Any, names: dict[str, None]) -> None:
    if not isinstance(schema, dict):
        return
    names.update(dict.fromkeys(schema.get("properties", {})))
    if "$ref" in schema:
        _collect(_resolve(schema["$ref"]), names)
    for part in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(part, ()):
            _collect(branch, names)
    for part in ("then", "else"):
        _collect(schema.get(part), names)


def _resolve(reference: str) -> Any:
    target: Any = _schema()
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return target


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return f"`{text[:60]}{'...' if len(text) > 60 else ''}`"
