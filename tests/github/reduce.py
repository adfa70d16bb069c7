"""Reduces GitHub's official OpenAPI description to the operations that the double plays, prose stripped.

The description is ``package/generated/api.github.com.json`` of the npm package @octokit/openapi 23.0.2 (MIT)::

    npm pack @octokit/openapi@23.0.2
    tar -xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
    python -m tests.github.reduce package/generated/api.github.com.json
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.github.operations import OPERATIONS, REPOSITORY

TARGET = Path(__file__).with_name("api.github.com.json")
SHARED = ("schemas", "parameters", "responses")
#: What errors look like wherever an operation doesn't say it itself.
KEPT = ("#/components/schemas/basic-error", "#/components/schemas/validation-error")
#: Where GitHub answers with null and its description doesn't know it: a fork that is gone, a label with no description.
NULL = {"type": "object", "nullable": True, "enum": [None]}
MAY_BE_NULL = (
    "pull-request/properties/head/properties/repo",
    "pull-request-simple/properties/head/properties/repo",
    "pull-request-simple/properties/labels/items/properties/description",
    "workflow-run/properties/head_repository",
)
PROSE = ("description", "summary", "title", "example", "examples", "externalDocs", "tags", "operationId", "deprecated")


def reduce(document: dict[str, Any]) -> dict[str, Any]:
    """The same document with nothing but ``OPERATIONS`` and what they refer to."""
    paths = _paths(document["paths"])
    components: dict[str, dict[str, Any]] = {kind: {} for kind in SHARED}
    waiting = [*_references(paths), *KEPT]
    while waiting:
        kind, name = waiting.pop().split("/")[2:]
        if name not in components[kind]:
            components[kind][name] = _stripped(document["components"][kind][name])
            waiting.extend(_references(components[kind][name]))
    for place in MAY_BE_NULL:
        _allow_null(components["schemas"], place)
    info = {"title": "GitHub", "version": document["info"]["version"], "license": document["info"]["license"]}
    components = {kind: dict(sorted(items.items())) for kind, items in components.items()}
    return {"openapi": document["openapi"], "info": info, "paths": paths, "components": components}


def _paths(paths: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for line in OPERATIONS:
        method, path = line.split()
        path = path.replace("REPO", REPOSITORY)
        kept.setdefault(path, {})[method.lower()] = _stripped(paths[path][method.lower()])
    return kept


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


def _stripped(value: Any, names: bool = False) -> Any:
    """Without prose; ``names``: the keys are names that somebody gave, not words of OpenAPI."""
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    if not isinstance(value, dict):
        return value
    if names:
        return {key: _stripped(item) for key, item in value.items()}
    kept = {key: _stripped(item, key in ("properties", "responses")) for key, item in value.items() if _is_kept(key)}
    return _valid(kept)


def _is_kept(key: str) -> bool:
    return key not in (*PROSE, "headers", "discriminator") and not key.startswith("x-")


def _valid(value: dict[str, Any]) -> dict[str, Any]:
    """Says what GitHub means: `nullable` adds null to an enumeration or a choice; an address may be "".

    Errors are open objects: one that fits a kind of them may fit another."""
    if value.get("format") == "uri" and value.get("default") == "":
        del value["format"]
    if value.get("nullable") and "enum" in value and None not in value["enum"]:
        value["enum"] = [*value["enum"], None]
    if "oneOf" in value and all(one.get("$ref", "").endswith("-error") for one in value["oneOf"]):
        value["anyOf"] = value.pop("oneOf")
    for choice in ("oneOf", "anyOf"):
        if value.get("nullable") and choice in value:
            value[choice] = [*value[choice], NULL]
    return value


def _allow_null(schemas: dict[str, Any], place: str) -> None:
    *way, last = place.split("/")
    for name in way:
        schemas = schemas[name]
    schemas[last] = {"oneOf": [schemas[last], NULL]}


if __name__ == "__main__":
    answer = reduce(json.loads(Path(sys.argv[1]).read_text()))
    TARGET.write_text(json.dumps(answer, separators=(",", ":"), sort_keys=True) + "\n")
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB, {len(OPERATIONS)} operations")
