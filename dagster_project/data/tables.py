"""Delta tables: rows staged as Parquet files, then made a version by one commit that carries the record.

A commit names the version it follows; where another build was first it fails and nothing of ours is seen. Files of a
build that was killed are named by no commit, so they are never read.
"""

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from upath import UPath

from dagster_project.data.logical import dtype_of
from dagster_project.data.records import KEY, Record
from dagster_project.domain.contract import DataContract
from dagster_project.domain.errors import MachineryError

if TYPE_CHECKING:
    import polars as pl
    from deltalake import Schema


@dataclass(frozen=True)
class Staged:
    """A Parquet file that no commit names yet."""

    name: str
    size: int
    rows: int


class ConflictError(Exception):
    """Another build committed first: read its record and try again."""


def stage(frame: "pl.DataFrame", folder: UPath) -> Staged:
    """Write rows beside the others under a name of their own.

    Raises:
        MachineryError: the disk is full, or the place can't be written.
    """
    name = f"{uuid.uuid4().hex}.parquet"
    path = folder / name
    try:
        if isinstance(path, Path):
            path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(str(path), compression="zstd", statistics=True)
        return Staged(name, path.stat().st_size, frame.height)
    except Exception as error:
        discard(folder, (name,))
        raise _machinery(path, error) from error


def discard(folder: UPath, names: tuple[str, ...]) -> None:
    """Remove staged files that no commit will name."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def commit(
    table: UPath, contract: DataContract, staged: list[Staged], record: Record, mode: Literal["append", "overwrite"]
) -> None:
    """Make ``staged`` the table's version ``record.snapshot.version``.

    Raises:
        ConflictError: that version exists already.
        MachineryError: the log can't be written.
    """
    from deltalake import CommitProperties, DeltaTable
    from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
    from deltalake.transaction import AddAction, create_table_with_add_actions

    properties = CommitProperties(
        custom_metadata={KEY: json.dumps(record.model_dump(mode="json"))}, max_commit_retries=0
    )
    adds = [AddAction(s.name, s.size, {}, 0, True, json.dumps({"numRecords": s.rows})) for s in staged]
    version = record.snapshot.version
    try:
        if version == 0:
            create_table_with_add_actions(str(table), _schema(contract), adds, "error", commit_properties=properties)
        else:
            previous = DeltaTable(str(table), version=version - 1)
            previous.create_write_transaction([*adds], mode, _schema(contract), commit_properties=properties)
    except (CommitFailedError, TableNotFoundError) as error:
        raise ConflictError(str(error)) from error
    except (DeltaError, OSError) as error:
        if "already exists" in str(error):
            raise ConflictError(str(error)) from error
        raise _machinery(table, error) from error


def table_files(uri: str, version: int) -> list[str]:
    """The Parquet files of one version.

    Raises:
        MachineryError: the version is gone.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    try:
        return DeltaTable(uri, version=version).file_uris()
    except (DeltaError, OSError) as error:
        raise MachineryError(f"{uri}: version {version} can't be read: {error}. Build the dataset again.") from error


def _schema(contract: DataContract) -> "Schema":
    import polars as pl
    from deltalake import Schema

    empty = pl.DataFrame(schema={column.name: dtype_of(column) for column in contract.columns})
    return Schema.from_arrow(empty.to_arrow().schema)


def _machinery(path: UPath, error: Exception) -> MachineryError:
    return MachineryError(f"{path}: can't be written: {error}. Nothing was changed; the last snapshot is as it was.")
