"""Rules out of a contract: what its columns, quality rules, relationships and service levels assert, as data.

The document has passed every check before it comes here.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .additions import ContractAdditions, read_additions
from .contract import Column, Role, Rule
from .odcs_lint import FRESHNESS_UNITS
from .odcs_quality import OPERATORS, rule_type
from .odcs_walk import custom_properties, quality_rules, relationships, schema_objects
from .yamlfile import Document

_KINDS = {
    "nullValues": "null_values",
    "missingValues": "missing_values",
    "invalidValues": "invalid_values",
    "duplicateValues": "duplicate_values",
    "rowCount": "row_count",
}
FOREIGN_PERCENT = 10
"""Texts of another language than the contract says: some are quotes and names, and telling them apart errs."""
# An attribute of a column and the kind of rule are one word.
_VALUES = (
    "enum",
    "minimum",
    "maximum",
    "exclusive_minimum",
    "exclusive_maximum",
    "min_length",
    "max_length",
    "pattern",
)


def contract_rules(document: Document, columns: tuple[Column, ...]) -> tuple[Rule, ...]:
    """Every rule, in the contract's order, each with a name of its own."""
    rules = [rule for column in columns for rule in _column_rules(column)]
    rules += [*_primary_key(columns), *_quality(document), *_relationships(document), *_freshness(document)]
    rules += _frequency(document, columns)
    return tuple(_named(rules))


def _column_rules(column: Column) -> Iterator[Rule]:
    yield _rule(column, "type", "dataset", column.logical_type.value)
    if column.required or column.primary_key:
        yield _rule(column, "required", "row")
    if column.unique:
        yield _rule(column, "unique", "dataset")
    for kind in _VALUES:
        value = getattr(column, kind)
        if value is not None:
            yield _rule(column, kind, "row", value)
    if column.shape:
        yield _rule(column, "form", "row", list(column.shape))
    if column.modality == "text":
        yield _rule(column, "encoding", "row")
    if column.language:
        most = {"operator": "mustBeLessThan", "unit": "percent", "arguments": {"language": column.language}}
        yield _rule(column, "language", "dataset", FOREIGN_PERCENT).model_copy(update=most)


def _frequency(document: Document, columns: tuple[Column, ...]) -> Iterator[Rule]:
    """Rows of an entity (role group) follow each other at one distance: no moment twice, none left out."""
    additions, _ = read_additions(document, document.value, (), ContractAdditions)
    times = tuple(column.name for column in columns if column.role is Role.EVENT_TIME)
    if additions.frequency is None or not times:
        return
    groups = tuple(column.name for column in columns if column.role is Role.GROUP)
    line = next(document.line(place) for place, key, _ in custom_properties(document.value, ()) if key == "frequency")
    yield Rule(name="moments_unique", kind="unique", scope="dataset", columns=(*groups, *times), line=line)
    seconds = additions.frequency.total_seconds()
    yield Rule(name="gaps", kind="gaps", scope="dataset", columns=(*times, *groups), value=seconds, line=line)


def _rule(column: Column, kind: Any, scope: Any, value: Any = None) -> Rule:
    name = f"{column.name}.{kind}"
    return Rule(name=name, kind=kind, scope=scope, columns=(column.name,), value=value, line=column.line)


def _primary_key(columns: tuple[Column, ...]) -> Iterator[Rule]:
    key = [column for column in columns if column.primary_key]
    if key and not (len(key) == 1 and key[0].unique):
        names = tuple(column.name for column in key)
        yield Rule(name="primary_key", kind="unique", scope="dataset", columns=names, line=key[0].line)


def _quality(document: Document) -> Iterator[Rule]:
    table = str(document.value["name"])
    for location, rule, column in quality_rules(document.value):
        kind = rule_type(rule)
        if kind not in ("library", "sql"):
            continue
        here = (column["name"],) if column else tuple(rule.get("arguments", {}).get("properties", ()))
        operator = next(key for key in OPERATORS if key in rule)
        subject = column["name"] if column else table
        what = "sql" if kind == "sql" else _KINDS[rule["metric"]]
        yield Rule(
            name=str(rule.get("name") or f"{subject}.{what}"),
            kind=what,
            scope="dataset",
            columns=here,
            operator=operator,
            value=rule[operator],
            unit=rule.get("unit", "rows"),
            arguments={"query": filled_query(rule, table, column)} if kind == "sql" else rule.get("arguments", {}),
            severity="error" if rule.get("severity", "error") == "error" else "warning",
            line=document.line(location),
        )


def filled_query(rule: dict[str, Any], table: str, column: dict[str, Any] | None) -> str:
    """A rule's query with the standard's ``${table}`` and ``${column}`` filled in."""
    names = {
        "table": table,
        "object": table,
        "column": (column or {}).get("name"),
        "property": (column or {}).get("name"),
    }

    def name(match: re.Match[str]) -> str:
        return f'"{names[match[1]]}"' if names.get(match[1]) else match[0]

    return re.sub(r"\$?\{(\w+)\}", name, str(rule["query"]))


def _relationships(document: Document) -> Iterator[Rule]:
    for location, here, there in relationships(document.value):
        dataset = there[0].partition(".")[0]
        columns = [name.partition(".")[2] for name in there]
        yield Rule(
            name=f"{'_'.join(here)}.relationship",
            kind="relationship",
            scope="dataset",
            columns=tuple(here),
            arguments={"dataset": dataset, "columns": columns},
            line=document.line(location),
        )


def _freshness(document: Document) -> Iterator[Rule]:
    """``value`` is the greatest age in seconds."""
    for index, level in enumerate(document.value.get("slaProperties") or ()):
        if level["property"] != "freshness":
            continue
        element = str(level.get("element") or document.value.get("slaDefaultElement"))
        yield Rule(
            name="freshness",
            kind="freshness",
            scope="dataset",
            columns=(element.rpartition(".")[2],),
            value=level["value"] * FRESHNESS_UNITS[level["unit"]],
            line=document.line(("slaProperties", index)),
        )


def _named(rules: list[Rule]) -> Iterator[Rule]:
    """A repeated name gets a number."""
    seen: Counter[str] = Counter()
    for rule in rules:
        seen[rule.name] += 1
        count = seen[rule.name]
        yield rule if count == 1 else rule.model_copy(update={"name": f"{rule.name}_{count}"})


def physical_name(document: Document) -> str | None:
    """The table's name in its source, where that differs."""
    return next((table.get("physicalName") for _, table in schema_objects(document.value)), None)
