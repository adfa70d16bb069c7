"""Ways through a raw ODCS document, of which any part may have the wrong shape: what does is passed over."""

from collections.abc import Iterator
from typing import Any

from .yamlfile import Location

Entry = tuple[Location, dict[str, Any]]


def entries(value: Any, location: Location) -> Iterator[Entry]:
    """The mappings in a list."""
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, dict):
            yield (*location, index), entry


def schema_objects(root: dict[str, Any]) -> Iterator[Entry]:
    """The contract's tables."""
    yield from entries(root.get("schema"), ("schema",))


def properties(root: dict[str, Any]) -> Iterator[Entry]:
    """The columns of every table."""
    for location, table in schema_objects(root):
        yield from entries(table.get("properties"), (*location, "properties"))


def quality_rules(root: dict[str, Any]) -> Iterator[tuple[Location, dict[str, Any], dict[str, Any] | None]]:
    """Every quality rule, with the column it stands at; None: at the table."""
    for location, table in schema_objects(root):
        for place, rule in entries(table.get("quality"), (*location, "quality")):
            yield place, rule, None
    for location, column in properties(root):
        for place, rule in entries(column.get("quality"), (*location, "quality")):
            yield place, rule, column


def custom_properties(owner: dict[str, Any], location: Location) -> Iterator[tuple[Location, str, Any]]:
    """Our own additions: those whose name begins with ``threeacts.``, without that beginning."""
    for place, entry in entries(owner.get("customProperties"), (*location, "customProperties")):
        name = entry.get("property")
        if isinstance(name, str) and name.startswith("threeacts."):
            yield place, name.removeprefix("threeacts."), entry.get("value")


def relationships(root: dict[str, Any]) -> Iterator[tuple[Location, list[str], list[str]]]:
    """Foreign keys as written: columns here, and ``dataset.column`` there."""
    for location, table in schema_objects(root):
        for place, entry in entries(table.get("relationships"), (*location, "relationships")):
            yield place, [name.rpartition(".")[2] for name in _texts(entry.get("from"))], _texts(entry.get("to"))
    for location, column in properties(root):
        for place, entry in entries(column.get("relationships"), (*location, "relationships")):
            yield place, [str(column.get("name"))], _texts(entry.get("to"))


def _texts(value: Any) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else [] if value is None else [str(value)]
