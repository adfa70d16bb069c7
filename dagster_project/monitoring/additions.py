"""What the newer versions of a table that only grows have added: nothing older is read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dagster_project.storage.files import location, read_optional

if TYPE_CHECKING:
    import polars as pl


class GoneError(Exception):
    """The log of a version was cleaned away: what it added can't be told from the rest any more."""


@dataclass(frozen=True)
class Addition:
    """Files that one version added; ``version`` counts from 1, so that 0 is before the first."""

    version: int
    files: tuple[str, ...]
    rows: int


def additions(uri: str, after: int, last: int | None) -> Iterator[Addition]:
    """Each version behind position ``after`` up to the table's version ``last`` (counted from 0; None: no table).

    Raises:
        GoneError: one of their commits is no longer there.
    """
    for version in range(after, -1 if last is None else last + 1):
        commit = read_optional(location(uri) / "_delta_log" / f"{version:020d}.json")
        if commit is None:
            raise GoneError(f"{uri}: version {version}")
        adds = [entry["add"] for line in commit.splitlines() if "add" in (entry := json.loads(line))]
        new = [add for add in adds if add["dataChange"]]
        files = tuple(str(location(uri) / unquote(add["path"])) for add in new)
        yield Addition(version + 1, files, sum(json.loads(add["stats"] or "{}").get("numRecords", 0) for add in new))


def next_batch(uri: str, after: int, last: int | None, most_rows: int) -> Addition | None:
    """Neighbouring versions behind ``after`` together, up to about so many rows; None: there are none.

    Raises:
        GoneError: one of their commits is no longer there.
    """
    files: tuple[str, ...] = ()
    rows, version = 0, after
    for each in additions(uri, after, last):
        if files and rows + each.rows > most_rows:
            break
        files, rows, version = files + each.files, rows + each.rows, each.version
    return Addition(version, files, rows) if version > after else None


def rows_in(files: tuple[str, ...], schema: "pl.Schema", partition: str = "day") -> "pl.LazyFrame":
    """Rows of a table's files in the columns of ``schema``; columns that older files lack are null."""
    import polars as pl

    if not files:
        return pl.LazyFrame(schema=schema)
    held = {name: kind for name, kind in schema.items() if name != partition}
    parts = []
    for file in files:
        day = pl.lit(location(file).parent.name.removeprefix(f"{partition}=")).str.to_date().alias(partition)
        found = pl.scan_parquet(file, hive_partitioning=False)
        there = found.collect_schema().names()
        absent = [pl.lit(None, kind).alias(name) for name, kind in held.items() if name not in there]
        parts.append(found.with_columns([*absent, day]).select(schema.names()))
    return pl.concat(parts)
