"""The prediction log as a Delta table: rows and the position that each stream has reached are one commit.

Positions are the table's application transactions (Delta protocol, "Transaction Identifiers"): whoever reads a version
knows what of every segment is in it, so that a row is committed once, whichever ingester died when.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upath import UPath

from dagster_project.data.tables import ConflictError, Staged, discard, stage
from dagster_project.domain.errors import MachineryError
from dagster_project.monitoring.log_rows import schema
from dagster_project.storage.files import location

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable

NAME = "prediction_log"
DAY = "day"


def table_uri(warehouse: str) -> str:
    """Where the table lies."""
    return str(location(warehouse) / NAME)


def answers(warehouse: str) -> "pl.LazyFrame":
    """Every answered row in the table, without those that say how many were dropped."""
    import polars as pl

    return pl.scan_delta(table_uri(warehouse)).filter(pl.col("row_id").is_not_null())


class LogTable:
    """The table as it is now; a commit stands on exactly this version."""

    def __init__(self, warehouse: str) -> None:
        self.uri = table_uri(warehouse)
        self._table = _opened(self.uri)

    def position(self, stream: str) -> int:
        """How many bytes of a server's stream the table has."""
        return (self._table and self._table.transaction_version(f"{NAME}/{stream}")) or 0

    def commit(self, rows: "pl.DataFrame", positions: Mapping[str, int]) -> None:
        """Add the rows and set the positions.

        Raises:
            ConflictError: another ingester was first; open the table again.
            MachineryError: the table can't be written.
        """
        staged = _staged(rows, self.uri)
        version = 0 if self._table is None else self._table.version() + 1
        try:
            self._commit(staged, positions)
        except ConflictError:
            # On object storage an answer may be lost and the commit repeated: then the other ingester was this one.
            if not _holds(self.uri, staged):
                for folder, file in staged:
                    discard(location(self.uri) / folder, (file.name,))
                raise
        _harden(location(self.uri) / "_delta_log" / f"{version:020d}.json")

    def _commit(self, staged: list[tuple[str, Staged]], positions: Mapping[str, int]) -> None:
        from deltalake import CommitProperties, Schema, Transaction
        from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
        from deltalake.transaction import create_table_with_add_actions

        transactions = [Transaction(f"{NAME}/{stream}", position) for stream, position in positions.items()]
        properties = CommitProperties(max_commit_retries=0, app_transactions=transactions)
        columns = Schema.from_arrow(_empty().to_arrow().schema)
        adds = [_add(folder, file) for folder, file in staged]
        try:
            if self._table is None:
                create_table_with_add_actions(
                    self.uri, columns, adds, "error", partition_by=[DAY], commit_properties=properties
                )
            else:
                self._table.create_write_transaction(
                    [*adds], "append", columns, partition_by=[DAY], commit_properties=properties
                )
        except (CommitFailedError, TableNotFoundError) as error:
            raise ConflictError(str(error)) from error
        except (DeltaError, OSError) as error:
            if "already exists" in str(error):
                raise ConflictError(str(error)) from error
            raise _machinery(self.uri, error) from error


def _opened(uri: str) -> "DeltaTable | None":
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        raise MachineryError(f"{uri}: can't be read: {error}. Segments stay where they are.") from error


def _empty() -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(schema=schema())


def _staged(rows: "pl.DataFrame", uri: str) -> list[tuple[str, Staged]]:
    """A file for each day, on the disk for good before any commit names it; with the folder it lies in."""
    found = []
    for (day,), part in rows.partition_by(DAY, as_dict=True, include_key=False).items():
        folder = f"{DAY}={day}"
        found.append((folder, stage(part, location(uri) / folder)))
        _harden(location(uri) / folder / found[-1][1].name)
    return found


def _add(folder: str, file: Staged) -> Any:
    from deltalake.transaction import AddAction

    statistics = json.dumps({"numRecords": file.rows})
    return AddAction(f"{folder}/{file.name}", file.size, {DAY: folder.removeprefix(f"{DAY}=")}, 0, True, statistics)


def _holds(uri: str, staged: list[tuple[str, Staged]]) -> bool:
    table = _opened(uri)
    known = {UPath(file).name for file in table.file_uris()} if table else set()
    return any(file.name in known for _, file in staged)


def _harden(file: UPath) -> None:
    """Make a new file and its name outlive a power cut: segments are removed once they are in the table."""
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
    return MachineryError(f"{uri}: can't be written: {error}. Segments stay where they are.")
