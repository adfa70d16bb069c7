"""A Delta table that only grows: rows, and the position reached in each stream they came from, are one commit.

Positions are the table's application transactions (Delta protocol, "Transaction Identifiers"): whoever reads a version
knows what of every stream is in it, so that a row is committed once, whichever writer died when.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upath import UPath

from dagster_project.data.tables import ConflictError, Staged, discard, stage
from dagster_project.domain.errors import MachineryError
from dagster_project.storage.files import location

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable, Schema

DAY = "day"


class AppendTable:
    """The table ``name`` of a warehouse as it is now; a commit stands on exactly this version.

    ``schema`` are its columns; one that an older table lacks is added, null in the rows that are there.
    ``partition`` is a column of dates; a file has the rows of one of them.
    """

    def __init__(self, warehouse: str, name: str, schema: "pl.Schema", partition: str = DAY) -> None:
        self.name, self.partition, self.uri = name, partition, table_uri(warehouse, name)
        self._schema = schema
        self._table = opened(self.uri)

    @property
    def version(self) -> int | None:
        """The version that was read; None where there is no table yet."""
        return None if self._table is None else self._table.version()

    def position(self, stream: str) -> int:
        """How far in a stream the table's rows reach; 0 where nothing came from it yet."""
        return (self._table and self._table.transaction_version(f"{self.name}/{stream}")) or 0

    def commit(self, rows: "pl.DataFrame", positions: Mapping[str, int]) -> None:
        """Add the rows (none is fine) and set the positions.

        Raises:
            ConflictError: another writer was first; open the table again.
            MachineryError: the table can't be written.
        """
        staged = _staged(rows.select(self._schema.names()), self.partition, self.uri)
        first = self._next
        try:
            self._commit(staged, positions)
        except ConflictError:
            # On object storage an answer may be lost and the commit repeated: then the other writer was this one.
            if not _holds(self.uri, staged):
                for folder, file in staged:
                    discard(location(self.uri) / folder, (file.name,))
                raise
        for version in range(first, self._next + 1):
            _harden(location(self.uri) / "_delta_log" / f"{version:020d}.json")

    @property
    def _next(self) -> int:
        """The version that the next commit makes; deltalake moves on when columns are added, and not for rows."""
        return 0 if self._table is None else self._table.version() + 1

    def _commit(self, staged: list[tuple[str, Staged]], positions: Mapping[str, int]) -> None:
        from deltalake import CommitProperties, Transaction
        from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
        from deltalake.transaction import create_table_with_add_actions

        transactions = [Transaction(f"{self.name}/{stream}", position) for stream, position in positions.items()]
        properties = CommitProperties(max_commit_retries=0, app_transactions=transactions)
        adds = [_add(self.partition, folder, file) for folder, file in staged]
        columns, parted = _delta_schema(self._schema), [self.partition]
        try:
            if self._table is None:
                create_table_with_add_actions(
                    self.uri, columns, adds, "error", partition_by=parted, commit_properties=properties
                )
            else:
                _grow(self._table, columns)
                self._table.create_write_transaction(
                    [*adds], "append", columns, partition_by=parted, commit_properties=properties
                )
        except (CommitFailedError, TableNotFoundError) as error:
            raise ConflictError(str(error)) from error
        except (DeltaError, OSError) as error:
            if "already exists" in str(error):
                raise ConflictError(str(error)) from error
            raise _machinery(self.uri, error) from error


def table_uri(warehouse: str, name: str) -> str:
    """Where the table ``name`` lies."""
    return str(location(warehouse) / name)


def opened(uri: str) -> "DeltaTable | None":
    """The table as it is now; None where there is none.

    Raises:
        MachineryError: it can't be read.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        raise MachineryError(f"{uri}: can't be read: {error}. Nothing of it was changed.") from error


def rows_of(uri: str, schema: "pl.Schema") -> "pl.LazyFrame":
    """The table's rows in the columns of ``schema``; those that an older table lacks are null, no table is no rows.

    Raises:
        MachineryError: it can't be read.
    """
    import polars as pl

    table = opened(uri)
    if table is None:
        return pl.LazyFrame(schema=schema)
    found = pl.scan_delta(table)
    there = {field.name for field in table.schema().fields}
    absent = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in there]
    return found.with_columns(absent).select(schema.names())


def _grow(table: "DeltaTable", columns: "Schema") -> None:
    """Add the columns that an older version of ours did not write."""
    there = {field.name for field in table.schema().fields}
    absent = [field for field in columns.fields if field.name not in there]
    if absent:
        table.alter.add_columns(absent)


def _delta_schema(schema: "pl.Schema") -> "Schema":
    import polars as pl
    from deltalake import Schema

    return Schema.from_arrow(pl.DataFrame(schema=schema).to_arrow().schema)


def _staged(rows: "pl.DataFrame", partition: str, uri: str) -> list[tuple[str, Staged]]:
    """A file for each date, on the disk for good before any commit names it; with the folder it lies in."""
    found = []
    for (date,), part in rows.partition_by(partition, as_dict=True, include_key=False).items():
        folder = f"{partition}={date}"
        found.append((folder, stage(part, location(uri) / folder)))
        _harden(location(uri) / folder / found[-1][1].name)
    return found


def _add(partition: str, folder: str, file: Staged) -> Any:
    from deltalake.transaction import AddAction

    values = {partition: folder.removeprefix(f"{partition}=")}
    return AddAction(f"{folder}/{file.name}", file.size, values, 0, True, json.dumps({"numRecords": file.rows}))


def _holds(uri: str, staged: list[tuple[str, Staged]]) -> bool:
    table = opened(uri)
    known = {UPath(file).name for file in table.file_uris()} if table else set()
    return any(file.name in known for _, file in staged)


def _harden(file: UPath) -> None:
    """Make a new file and its name outlive a power cut: what it was made from may be removed afterwards."""
    if not isinstance(file, Path):
        return  # object storage needs no asking
    places: tuple[Path, ...] = (file, file.parent)
    for path in places:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _machinery(uri: str, error: Exception) -> MachineryError:
    return MachineryError(f"{uri}: can't be written: {error}. Nothing of it was changed.")
