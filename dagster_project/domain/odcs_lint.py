"""Our own lint of a contract: what neither the standard's schema nor its model sees."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from .additions import ColumnAdditions, ContractAdditions, ServerAdditions, condition_fault, read_additions
from .column_lint import column_problems
from .contract import Role
from .errors import Problem
from .odcs_schema import did_you_mean
from .odcs_walk import custom_properties, entries, properties, quality_rules, relationships, schema_objects
from .semver import parse_version
from .server_lint import server_problems
from .yamlfile import Document, Location

MAX_ENTRIES = 1000
STATUSES = ("proposed", "draft", "active", "deprecated", "retired")
DATASET_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
# In which version of the standard a key came. The schema that is shipped is the newest one's and takes them all.
_SINCE_3_2 = ("enum", "synonyms", "deprecated", "semanticType", "context", "map")
_SINCE_3_1 = ("relationships",)
_Found = Iterator[tuple[Location, str, str]]


def lint_problems(document: Document) -> list[Problem]:
    """Everything that is wrong beyond the standard's schema. Parts of the wrong shape are passed over."""
    root = document.value
    found = [*_head(document), *_api_version(root), *_table(document), *_columns(root), *_roles(document), *_keys(root)]
    found += _conditions(document)
    problems = [document.problem(place, message, hint, "lint") for place, message, hint in found]
    problems += read_additions(document, root, (), ContractAdditions)[1]
    problems += server_problems(document)
    for location, server in entries(root.get("servers"), ("servers",)):
        problems += read_additions(document, server, location, ServerAdditions)[1]
    for location, column in properties(root):
        problems += column_problems(document, location, column)
        problems += read_additions(document, column, location, ColumnAdditions)[1]
    return problems


def length_problems(document: Document) -> list[Problem]:
    """Lists too long to be checked: the standard's schema compares every entry of an enum with every other."""
    long = [place for place, listed in _lists(document.value, ()) if len(listed) > MAX_ENTRIES]
    message, hint = f"the list has more than {MAX_ENTRIES:,} entries.", "Derive a dataset, or use a pattern or a bound."
    return [document.problem(place, message, hint, "lint") for place in long]


def _lists(value: Any, place: Location) -> Iterator[tuple[Location, list[Any]]]:
    if isinstance(value, list) and place[-1:] != ("properties",):
        yield place, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _lists(inner, (*place, key))


def _head(document: Document) -> _Found:
    root, stem = document.value, PurePosixPath(document.file).stem
    name, version, status = root.get("name"), root.get("version"), root.get("status")
    if name != stem:
        yield ("name",), f"the contract's name is `{name}`, the file's is `{stem}`.", f"Write `name: {stem}`."
    elif not DATASET_NAME.match(stem):
        yield ("name",), f"`{stem}` cannot name a dataset.", "Use small letters, digits and _; begin with a letter."
    if isinstance(version, str):
        try:
            parse_version(version)
        except ValueError as error:
            yield ("version",), f"{error}.", "Write MAJOR.MINOR.PATCH, for example 1.0.0."
    if status is None:
        yield (), "`status` is missing.", f"Add one of {', '.join(STATUSES)}."
    elif status not in STATUSES:
        yield ("status",), f"`{status}` is not a status.", did_you_mean(str(status), STATUSES)


def _api_version(root: dict[str, Any]) -> _Found:
    version = root.get("apiVersion")
    if not isinstance(version, str):
        return
    if version.startswith("v2"):
        yield ("apiVersion",), f"version {version} of the standard is not read.", "Write apiVersion: v3.2.0."
        return
    late: tuple[str, ...] = _SINCE_3_2 if version < "v3.2.0" else ()
    late += _SINCE_3_1 if version < "v3.1.0" else ()
    for location, owner in [((), root), *schema_objects(root), *properties(root)]:
        for key in late:
            if key in owner:
                since = "v3.2.0" if key in _SINCE_3_2 else "v3.1.0"
                yield (*location, key), f"`{key}` came with {since}.", f"The file says {version}: write {since}."


def _table(document: Document) -> _Found:
    tables, name = list(schema_objects(document.value)), PurePosixPath(document.file).stem
    if not tables:
        yield ("schema",), "the contract promises no table.", f"Add one object named `{name}` to `schema`."
        return
    for location, table in tables[1:]:
        message = f"a second table `{table.get('name')}`: a contract is about one dataset."
        yield location, message, "Move it to a file of its own."
    location, table = tables[0]
    if table.get("name") != name:
        yield (*location, "name"), f"the table is named `{table.get('name')}`.", f"Name it `{name}`, like the file."
    if not table.get("properties"):
        yield location, "the table has no columns.", "Add `properties`, one entry a column."


def _columns(root: dict[str, Any]) -> _Found:
    seen: dict[str, str] = {}
    for location, column in properties(root):
        name = column.get("name")
        if not isinstance(name, str):
            continue
        if name.lower() in seen:
            message = f"the column `{name}` is there already, as `{seen[name.lower()]}`."
            yield (*location, "name"), message, "Delete or rename one; upper and lower case count as equal."
        seen.setdefault(name.lower(), name)


def _roles(document: Document) -> _Found:
    roles: dict[Role, list[Location]] = {}
    allowed = {Role.EVENT_TIME: ("timestamp", "date"), Role.WEIGHT: ("number", "integer")}
    for location, column in properties(document.value):
        additions, _ = read_additions(document, column, location, ColumnAdditions)
        if additions.role is None:
            continue
        roles.setdefault(additions.role, []).append(location)
        types = allowed.get(additions.role)
        if types and column.get("logicalType") not in types:
            yield (*location, "logicalType"), f"{additions.role} has to be {' or '.join(types)}.", "Correct either one."
    for role in (Role.EVENT_TIME, Role.WEIGHT):
        for location in roles.get(role, [])[1:]:
            yield location, f"a second column with the role {role}.", "A dataset has one."
    additions_of, _ = read_additions(document, document.value, (), ContractAdditions)
    if additions_of.label_delay is not None and not roles.get(Role.LABEL):
        yield (), "there is a threeacts.label_delay and no label.", "Give a column the role label."
    if additions_of.frequency is not None and not roles.get(Role.EVENT_TIME):
        yield (), "there is a threeacts.frequency and no event time.", "Give a column the role event_time."


def _conditions(document: Document) -> _Found:
    additions, _ = read_additions(document, document.value, (), ContractAdditions)
    for location, name, _ in custom_properties(document.value, ()):
        for index, condition in enumerate(additions.deepchecks if name == "deepchecks" else ()):
            if fault := condition_fault(condition):
                yield (*location, "value", index, "check"), *fault


def _keys(root: dict[str, Any]) -> _Found:
    """Columns that relationships, quality rules and service levels name."""
    columns = [str(column.get("name")) for _, column in properties(root)]
    for location, here, there in relationships(root):
        yield from _unknown(location, here, columns)
        if len(here) != len(there):
            yield location, f"{len(here)} columns here, {len(there)} there.", "Name as many in `from` as in `to`."
        own = [name.partition(".")[2] for name in there if name.partition(".")[0] == root.get("name")]
        yield from _unknown((*location, "to"), own, columns)
    for location, rule, _ in quality_rules(root):
        arguments = rule.get("arguments")
        if isinstance(arguments, dict) and isinstance(arguments.get("properties"), list):
            yield from _unknown((*location, "arguments"), map(str, arguments["properties"]), columns)
    yield from _service_levels(root)


def _service_levels(root: dict[str, Any]) -> _Found:
    moments = [str(c.get("name")) for _, c in properties(root) if c.get("logicalType") in ("timestamp", "date")]
    levels = root.get("slaProperties")
    for index, level in enumerate(levels if isinstance(levels, list) else ()):
        if not isinstance(level, dict) or level.get("property") != "freshness":
            continue
        location: Location = ("slaProperties", index)
        element = str(level.get("element") or root.get("slaDefaultElement") or "")
        if not element:
            yield location, "freshness of what?", "Add `element: TABLE.COLUMN`, a timestamp."
        else:
            yield from _unknown((*location, "element"), [element.rpartition(".")[2]], moments, "timestamp column")
        if not isinstance(level.get("value"), int | float) or isinstance(level.get("value"), bool):
            yield (*location, "value"), "`value` has to be a number.", "Write, for example, value: 24, unit: h."
        if str(level.get("unit")) not in FRESHNESS_UNITS:
            hint = f"Units are {', '.join(FRESHNESS_UNITS)}."
            yield (*location, "unit"), f"`{level.get('unit')}` is no unit of freshness.", hint


FRESHNESS_UNITS = {
    "m": 60, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400, "y": 31_557_600, "yr": 31_557_600, "years": 31_557_600,
}  # fmt: skip


def _unknown(location: Location, names: Iterable[str], columns: list[str], what: str = "column") -> _Found:
    for name in names:
        if name not in columns:
            yield location, f"the table has no {what} `{name}`.", did_you_mean(name, columns)
