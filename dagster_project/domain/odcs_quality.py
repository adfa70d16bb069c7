"""Quality rules of the standard: what is wrong with one, said directly.

The standard's schema branches by ``type`` and says "unexpected" about what a failed branch would have taken.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from .additions import condition_fault
from .column_lint import parse_bound
from .contract import Condition
from .errors import Problem
from .odcs_schema import did_you_mean
from .patterns import pattern_fault
from .yamlfile import Document, Location

METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
OPERATORS = (
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo",
    "mustBeBetween", "mustNotBeBetween",
)  # fmt: skip
TYPES = ("text", "library", "sql", "custom")
UNITS = ("rows", "percent")
SEVERITIES = ("error", "warning", "info")
ENGINES = ("deepchecks",)
_IMPLEMENTATION = "Its keys are suite, check, condition, parameters, arguments and severity."
_WRONG_OPERATORS = {
    "mustBeAtLeast": "mustBeGreaterOrEqualTo",
    "mustBeAtMost": "mustBeLessOrEqualTo",
    "mustBeGreaterThanOrEqualTo": "mustBeGreaterOrEqualTo",
    "mustBeLessThanOrEqualTo": "mustBeLessOrEqualTo",
    "mustEqual": "mustBe",
    "mustNotEqual": "mustNotBe",
}
_KEYS = (
    "id", "authoritativeDefinitions", "businessImpact", "customProperties", "description", "dimension", "method",
    "name", "schedule", "scheduler", "severity", "tags", "type", "unit", "metric", "arguments", "query", "engine",
    "implementation", *OPERATORS,
)  # fmt: skip
_ARGUMENTS = {
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
    "rowCount": (),
}


def rule_type(rule: dict[str, Any]) -> Any:
    """``library`` is the standard's default."""
    return rule.get("type", "library")


def quality_problems(
    document: Document, location: Location, rule: dict[str, Any], column: dict[str, Any] | None
) -> list[Problem]:
    """What is wrong with one rule; ``column`` is where it stands, None at the table."""
    found = [*_keys(rule), *_choices(rule)]
    if not found:
        found = [*{"library": _library, "sql": _sql, "custom": _custom, "text": _text}[rule_type(rule)](rule, column)]
    return [document.problem((*location, *place), message, hint, "quality") for place, message, hint in found]


_Found = Iterator[tuple[Location, str, str]]


def _keys(rule: dict[str, Any]) -> _Found:
    for key in rule:
        if key == "rule":
            yield (key,), "`rule` is the old name of `metric`.", "Write `metric`."
        elif key.startswith("must") and key not in OPERATORS:
            close = _WRONG_OPERATORS.get(key)
            hint = f"Did you mean `{close}`?" if close else did_you_mean(key, OPERATORS)
            yield (
                (key,),
                f"`{key}` is no operator of the standard.",
                f"{hint} The operators are {', '.join(OPERATORS)}.",
            )
        elif key not in _KEYS:
            yield (key,), f"`{key}` is not a key of a quality rule.", did_you_mean(key, _KEYS)


def _choices(rule: dict[str, Any]) -> _Found:
    for key, known in (("type", TYPES), ("unit", UNITS), ("severity", SEVERITIES)):
        if key in rule and rule[key] not in known:
            yield (key,), f"`{rule[key]}` is no {key} of a quality rule.", did_you_mean(str(rule[key]), known)


def _library(rule: dict[str, Any], column: dict[str, Any] | None) -> _Found:
    metric = rule.get("metric")
    if metric is None:
        yield (), "`metric` is missing.", f"Add one of {', '.join(METRICS)}, or the `type` that is meant."
    elif metric not in METRICS:
        hint = did_you_mean(str(metric), METRICS)
        if metric == "freshness":
            hint = "Freshness is promised in slaProperties: property: freshness, value, unit and element."
        yield ("metric",), f"`{metric}` is no metric of the standard.", hint
    else:
        yield from _metric(metric, rule, column)
    yield from _operator(rule, numbers=True)


def _metric(metric: str, rule: dict[str, Any], column: dict[str, Any] | None) -> _Found:
    if metric == "rowCount" and column is not None:
        yield ("metric",), "rows are counted for the whole table.", "Move the rule to the table's `quality`."
    if metric == "rowCount" and rule.get("unit") == "percent":
        yield ("unit",), "a number of rows is no percentage.", "Delete `unit`."
    arguments = rule.get("arguments", {})
    if not isinstance(arguments, dict):
        yield ("arguments",), "`arguments` has to be a mapping.", "Write `arguments: {name: value}`, or delete it."
        return
    if column is None and metric != "rowCount" and not (metric == "duplicateValues" and "properties" in arguments):
        hint = "Move the rule to the column's `quality`."
        if metric == "duplicateValues":
            hint = "Add `arguments: {properties: [...]}`, or move the rule to a column's `quality`."
        yield ("metric",), f"`{metric}` looks at a column, and this rule stands at the table.", hint
    if metric == "invalidValues" and not arguments:
        yield (), "nothing says which values are valid.", "Add `arguments: {validValues: [...]}`, or {pattern: ...}."
    for key, value in arguments.items():
        if key not in _ARGUMENTS[metric]:
            known = ", ".join(_ARGUMENTS[metric]) or "none"
            yield ("arguments", key), f"`{key}` is no argument of {metric}.", f"Its arguments: {known}."
        elif fault := _argument_fault(key, value, column or {}):
            yield ("arguments", key), *fault


def _argument_fault(key: str, value: Any, column: dict[str, Any]) -> tuple[str, str] | None:
    """What is wrong with one argument of a metric, and what to do."""
    if key == "pattern":
        return pattern_fault(value) if isinstance(value, str) else ("`pattern` has to be text.", "Put it in quotes.")
    if not isinstance(value, list) or not value or any(isinstance(entry, list | dict) for entry in value):
        return f"`{key}` has to be a list of values.", f"Write `{key}: [a, b]`."
    if key == "properties" and not all(isinstance(entry, str) for entry in value):
        return "`properties` has to be a list of columns.", "Write `properties: [a, b]`."
    for entry in value if key == "validValues" else ():
        try:
            parse_bound(column.get("logicalType"), entry)
        except ValueError as error:
            return f"`{entry}` {error}.", f"The column's logicalType is {column.get('logicalType')}."
    return None


def _sql(rule: dict[str, Any], _column: dict[str, Any] | None) -> _Found:
    if not isinstance(rule.get("query"), str):
        yield (), "`query` is missing.", "Add the SELECT that returns the value to compare."
    yield from _operator(rule, numbers=False)
    yield from _foreign(rule, "sql", ("metric", "engine", "implementation", "arguments"))


def condition_of(rule: dict[str, Any], column: dict[str, Any] | None) -> Condition:
    """The deepchecks condition of a custom rule; one at a column looks at that column.

    Raises pydantic's ``ValidationError`` for an implementation that is no Condition.
    """
    values = dict(rule["implementation"])
    if column:
        values["arguments"] = {"columns": [column.get("name")], **values.get("arguments", {})}
    return Condition.model_validate(values)


def _custom(rule: dict[str, Any], column: dict[str, Any] | None) -> _Found:
    engine = rule.get("engine")
    if engine not in ENGINES:
        message = "`engine` is missing." if engine is None else f"rules of the engine `{engine}` are not run here."
        yield (("engine",) if engine else ()), message, "Use `engine: deepchecks`, or a rule of type library or sql."
    if not isinstance(rule.get("implementation"), dict):
        yield (), "`implementation` is missing.", "Add a mapping with suite, check, condition and parameters."
    else:
        try:
            if fault := condition_fault(condition_of(rule, column)):
                yield ("implementation", "check"), *fault
        except ValidationError as error:
            for found in error.errors():
                yield ("implementation", *found["loc"]), f"{found['msg']}.", _IMPLEMENTATION
    yield from _foreign(rule, "custom", ("metric", "query", "arguments", *OPERATORS))


def _text(rule: dict[str, Any], _column: dict[str, Any] | None) -> _Found:
    yield from _foreign(rule, "text", ("metric", "query", "engine", "implementation", "arguments", *OPERATORS))


def _foreign(rule: dict[str, Any], kind: str, keys: tuple[str, ...]) -> _Found:
    for key in keys:
        if key in rule:
            yield (key,), f"`{key}` does not apply to a rule of type {kind}.", "Delete it, or correct `type`."


def _operator(rule: dict[str, Any], *, numbers: bool) -> _Found:
    used = [key for key in rule if key in OPERATORS]
    if not used:
        yield (), "no operator says what the value has to be.", f"Add exactly one of {', '.join(OPERATORS)}."
    elif len(used) > 1:
        yield (used[1],), f"{len(used)} operators: {', '.join(used)}.", "Keep one, and write a rule for each other."
    for key in used:
        yield from _operand(key, rule[key], numbers or key not in ("mustBe", "mustNotBe"))


def _operand(key: str, value: Any, numbers: bool) -> _Found:
    if key.endswith("Between"):
        pair = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        if not pair or value[0] >= value[1]:
            yield (key,), f"`{key}` takes two numbers, the smaller first.", f"Write `{key}: [1, 10]`."
    elif numbers and not _is_number(value):
        yield (key,), f"`{key}` takes a number.", "Write it without quotes."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
