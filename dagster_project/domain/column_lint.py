"""What the standard's schema does not see in a column: bounds that nothing can meet, values of another type."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from .contract import LogicalType
from .errors import Problem
from .odcs_schema import did_you_mean
from .odcs_walk import custom_properties
from .patterns import pattern_fault
from .yamlfile import Document, Location

COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
_BOUNDS = (("minimum", "maximum"), ("exclusiveMinimum", "exclusiveMaximum"), ("minLength", "maxLength"))
_ORDERED = ("number", "integer", "date", "timestamp", "time")
_UNENFORCED = ("multipleOf", "format", "defaultTimezone")
_Found = Iterator[tuple[Location, str, str]]
_HELD_AS = {"text": LogicalType.STRING.value, "image": LogicalType.STRING.value, "series": LogicalType.ARRAY.value}
_PLURAL = {"image": "images", "series": "windows"}
_FORMS = {"image": "{width: 28, height: 28, channels: 1}", "series": "{steps: 48, frequency: PT1H}"}


def column_problems(document: Document, location: Location, column: dict[str, Any]) -> list[Problem]:
    """What is wrong within one column."""
    found = [*_name(column), *_type(column), *_options(column), *_bounds(column), *_enum(column), *_modality(column)]
    return [document.problem((*location, *place), message, hint, "lint") for place, message, hint in found]


def parse_bound(logical: str | None, value: Any) -> Any:
    """A bound or an enum value as its column's type compares it; raises ``ValueError`` if it is of another type."""
    if logical in ("number", "integer"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("is not a number")
        if logical == "integer" and value != int(value):
            raise ValueError("is not a whole number")
        return value
    if logical == "boolean" and not isinstance(value, bool):
        raise ValueError("is not true or false")
    if logical == "string" and not isinstance(value, str):
        raise ValueError("is not text")
    if logical in ("date", "timestamp", "time"):
        return _moment(logical, str(value))
    return value


def _moment(logical: str, text: str) -> Any:
    try:
        if logical == "date":
            return date.fromisoformat(text)
        if logical == "time":
            return time.fromisoformat(text).replace(tzinfo=None)
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise ValueError(f"is no ISO 8601 {logical}") from None


def _name(column: dict[str, Any]) -> _Found:
    name = column.get("name")
    if isinstance(name, str) and not COLUMN_NAME.match(name):
        yield ("name",), f"`{name[:70]}` cannot name a column.", "Use letters, digits and _; begin with a letter."
    if column.get("physicalName") not in (None, name):
        hint = "Rename it in the source, or derive a dataset by SQL."
        yield ("physicalName",), "columns are read by their `name`; another physicalName is not mapped.", hint


def _type(column: dict[str, Any]) -> _Found:
    logical = column.get("logicalType")
    known = [kind.value for kind in LogicalType]
    if logical is None:
        yield (), "`logicalType` is missing.", f"Add one of {', '.join(known)}."
    elif logical in ("object", "map", "vector"):
        yield ("logicalType",), f"a table's column cannot be of type {logical}.", f"Use one of {', '.join(known)}."


def _modality(column: dict[str, Any]) -> _Found:
    """What a modality asks of the column's type."""
    given = {name: value for _, name, value in custom_properties(column, ())}
    said, logical = given.get("modality"), column.get("logicalType")
    wanted = _HELD_AS.get(str(said), logical)
    if logical != wanted:
        message = f"a column of the modality {said} is of the type {wanted}, not {logical}."
        yield ("logicalType",), message, f"Write {wanted}."
    if logical == "array" and said != "series":
        yield ("logicalType",), "an array is read as a series alone.", "Add threeacts.modality: series."
    if said == "text" and "enum" in column:
        yield ("enum",), "a column with an enum holds categories, not text.", "Delete the enum, or the modality."
    if "horizon" in given and given.get("role") != "label":
        yield (), "threeacts.horizon is for labels: how long after the event time they are.", "Delete it."
    if "language" in given and said != "text":
        yield (), "threeacts.language is for texts.", "Add threeacts.modality: text, or delete it."
    for kind in _FORMS:
        yield from _form(kind, said, column, kind in given)


def _form(kind: str, said: Any, column: dict[str, Any], given: bool) -> _Found:
    """What is asked of images and windows, whose every value is alike."""
    if said != kind:
        if given:
            yield (), f"threeacts.{kind} is for columns of that modality.", f"Add threeacts.modality: {kind}."
        return
    if not given:
        yield (), f"nothing says what the column's {_PLURAL[kind]} are like.", f"Add threeacts.{kind}: {_FORMS[kind]}."
    for key in ("enum", "logicalTypeOptions"):
        if column.get(key):
            yield (key,), f"`{key}` is not enforced of {_PLURAL[kind]}.", "Delete it."


def _options(column: dict[str, Any]) -> _Found:
    options = _mapping(column.get("logicalTypeOptions"))
    for key in _UNENFORCED:
        if key in options:
            hint = "Delete it; bounds, patterns and quality rules are enforced."
            yield ("logicalTypeOptions", key), f"`{key}` is not enforced here, so it would promise nothing.", hint
    pattern = options.get("pattern")
    fault = pattern_fault(pattern) if isinstance(pattern, str) else None
    if fault:
        yield ("logicalTypeOptions", "pattern"), *fault


def _bounds(column: dict[str, Any]) -> _Found:
    options, logical = _mapping(column.get("logicalTypeOptions")), column.get("logicalType")
    values: dict[str, Any] = {}
    lengths = logical not in _ORDERED  # the standard's schema refuses the other bounds there
    for key in (key for pair in _BOUNDS for key in pair if key in options and key.endswith("Length") == lengths):
        try:
            values[key] = parse_bound("integer" if key.endswith("Length") else logical, options[key])
        except ValueError as error:
            place = ("logicalTypeOptions", key)
            yield place, f"`{options[key]}` {error}.", f"The column's logicalType is {logical}."
    for low, high in ((a, b) for a, _ in _BOUNDS[:2] for _, b in _BOUNDS[:2]):
        yield from _order(low, high, values, strict="exclusive" in low + high)
    yield from _order("minLength", "maxLength", values, strict=False)


def _order(low: str, high: str, values: dict[str, Any], *, strict: bool) -> _Found:
    if low not in values or high not in values:
        return
    if values[low] > values[high] or (strict and values[low] == values[high]):
        message = f"no value can meet {low} {values[low]} and {high} {values[high]}."
        yield ("logicalTypeOptions", low), message, f"Make {low} smaller than {high}."


def _enum(column: dict[str, Any]) -> _Found:
    logical = column.get("logicalType")
    enum = column.get("enum")
    for index, entry in enumerate(enum if isinstance(enum, list) else ()):
        value = _mapping(entry).get("value")
        try:
            parse_bound(logical, value) if value is not None else None
        except ValueError as error:
            hint = "Put it in quotes." if logical == "string" else f"The column's logicalType is {logical}."
            yield ("enum", index, "value"), f"`{value}` {error}.", hint
        if value is None and isinstance(entry, dict) and "value" in entry:
            yield ("enum", index, "value"), "null is no value of an enum.", "Leave it out; `required` says if null is."


def column_hint(name: str, columns: list[str]) -> str:
    """For a column that does not exist."""
    return did_you_mean(name, columns)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
