"""Where a source may lie: kinds of server that are read, and paths that stay where they should."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from .errors import Problem
from .odcs_schema import did_you_mean
from .odcs_walk import custom_properties, entries
from .yamlfile import Document, Location

SERVER_TYPES = ("local", "s3", "postgres", "postgresql", "duckdb")
FORMATS = ("csv", "parquet")
PACKAGE = "package://"
_SECRET = re.compile(r"://[^/@\s]*@")
_Found = Iterator[tuple[Location, str, str]]


def server_problems(document: Document) -> list[Problem]:
    """What is wrong with the contract's servers; a derived dataset has none."""
    return [document.problem(place, message, hint, "lint") for place, message, hint in _all(document.value)]


def _all(root: dict[str, Any]) -> _Found:
    derived = any(name == "derived_from" for _, name, _ in custom_properties(root, ()))
    servers = list(entries(root.get("servers"), ("servers",)))
    if derived and servers:
        yield ("servers",), "a derived dataset is computed, it is read from no server.", "Delete `servers`."
    if not derived and not servers:
        yield (), "nothing says where the rows come from.", "Add `servers`, or `threeacts.derived_from` and SQL."
    yield from _repeated(servers)
    for location, server in servers:
        yield from ((location + place, message, hint) for place, message, hint in _server(server))


def _repeated(servers: list[tuple[Location, dict[str, Any]]]) -> _Found:
    for key in ("server", "environment"):
        seen: list[Any] = []
        for location, server in servers:
            value = server.get(key)
            if value is not None and value in seen:
                yield (*location, key), f"a second server with {key} `{value}`.", "Rename or delete one."
            seen.append(value)


def _server(server: dict[str, Any]) -> _Found:
    kind = server.get("type")
    if isinstance(kind, str) and kind not in SERVER_TYPES:
        yield ("type",), f"servers of type {kind} are not read.", did_you_mean(kind, SERVER_TYPES)
    if kind in ("local", "s3") and server.get("format") not in (*FORMATS, None):
        yield ("format",), f"the format `{server['format']}` is not read.", f"Use {' or '.join(FORMATS)}."
    if kind == "s3" and "format" not in server:
        yield (), "`format` is missing.", f"Add {' or '.join(FORMATS)}."
    if kind == "s3" and isinstance(server.get("location"), str) and not server["location"].startswith("s3://"):
        yield ("location",), f"`{server['location'][:80]}` is no S3 URL.", "Write s3://BUCKET/PATH."
    if kind in ("postgres", "postgresql") and not isinstance(server.get("port", 0), int):
        yield ("port",), f"`{server['port']}` is no port.", "Write a whole number, such as 5432."
    yield from _options(kind, server)


def _options(kind: Any, server: dict[str, Any]) -> _Found:
    for key in ("path", "database"):
        if kind in ("local", "duckdb") and isinstance(server.get(key), str):
            yield from _path(key, server[key])
    for key, value in server.items():
        if value == "":
            yield (key,), f"`{key}` is empty.", "Write it out, or delete it."
        if isinstance(value, str) and _SECRET.search(value):
            yield (key,), "credentials do not belong into a contract.", "Set them in the environment."


def _path(key: str, path: str) -> _Found:
    inner = path.removeprefix(PACKAGE)
    parts = PurePosixPath(inner).parts
    if inner.startswith(("/", "~")) or ".." in parts or "\\" in inner or "://" in inner:
        hint = "Write a path below the repository's folder, or package://NAME/path."
        yield (key,), f"`{path[:80]}` leaves the repository.", hint
    elif path.startswith(PACKAGE) and len(parts) < 2:
        yield (key,), f"`{path[:80]}` names no file of a package.", "Write package://NAME/path."
