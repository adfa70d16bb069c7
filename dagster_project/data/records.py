"""What is known of a snapshot without reading it: a small JSON record in the Delta commit that made it.

The record is committed together with the rows, so the two can't disagree. This module imports neither polars nor
deltalake: the plan of a pull request reads records with the core install alone.
"""

import json
from typing import Any, Literal

from pydantic import Field, ValidationError
from upath import UPath

from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.files import write_whole
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Finding
from dagster_project.domain.workspace import Workspace

KEY = "threeacts"


class FileMark(StrictModel):
    """A source file that was read: enough to notice that it changed afterwards."""

    path: str
    size: int
    mark: str = Field(description="ETag or modification time")
    digest: str | None = Field(default=None, description="of a local file's bytes, so that a copy is no change")


class Tally(StrictModel):
    """Counts that merge when rows arrive."""

    rows: int = 0
    counts: dict[str, int] = Field(default_factory=dict, description="by rule: rows that break it or count for it")
    latest: dict[str, str] = Field(default_factory=dict, description="by rule: latest timestamp seen")

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        names = self.counts.keys() | other.counts.keys()
        times = self.latest.keys() | other.latest.keys()
        return Tally(
            rows=self.rows + other.rows,
            counts={name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in sorted(names)},
            latest={name: max(self.latest.get(name, ""), other.latest.get(name, "")) for name in sorted(times)},
        )


class Record(StrictModel):
    """One version of a dataset's table."""

    schema_version: Literal[1] = 1
    snapshot: Snapshot
    total: str = Field(description="sum of the rows' hashes, hexadecimal")
    files: tuple[FileMark, ...] = ()
    tally: Tally = Tally()
    broken: dict[str, int] = Field(default_factory=dict, description="by row rule: rows in quarantine")
    quarantine: tuple[str, ...] = Field(default=(), description="Parquet files beside the table")
    findings: tuple[Finding, ...] = ()
    statistics: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="by column: nulls, minimum, maximum"
    )


def dataset_folder(dataset: str, workspace: Workspace) -> UPath:
    """Everything about a dataset."""
    return UPath(workspace.warehouse) / "datasets" / dataset


def latest_record(table: UPath) -> Record | None:
    """The record of the table's newest version; None where there is no table."""
    return next(iter(records(table)), None)


def records(table: UPath) -> "list[Record]":
    """Records of all versions, newest first."""
    log = table / "_delta_log"
    if not log.exists():
        return []
    commits = sorted((path for path in log.iterdir() if path.suffix == ".json" and path.stem.isdigit()), reverse=True)
    return [record for commit in commits if (record := _read_commit(commit))]


def _read_commit(commit: UPath) -> Record | None:
    try:
        for line in commit.read_text(encoding="utf-8").splitlines():
            information = json.loads(line).get("commitInfo", {})
            if KEY in information:
                return Record.from_json(information[KEY])
    except (ValueError, ValidationError) as error:
        raise MachineryError(
            f"{commit}: a damaged commit: {error}. Remove the table's folder and build again."
        ) from error
    return None


def current_snapshot(dataset: str, workspace: Workspace) -> Snapshot | None:
    """The snapshot that ``materialise`` answered with last; None before the first."""
    pointer = dataset_folder(dataset, workspace) / "current.json"
    try:
        return Snapshot.from_json(pointer.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise MachineryError(f"{pointer}: not a snapshot: {error}. Remove the file and build again.") from error


def point_at(snapshot: Snapshot, workspace: Workspace) -> None:
    """Make ``snapshot`` the current one of its dataset."""
    write_whole(dataset_folder(snapshot.dataset, workspace) / "current.json", snapshot.to_json().encode())


def find_snapshot(dataset: str, digest: str, workspace: Workspace) -> Snapshot | None:
    """The snapshot with these rows, whichever contract made it; None where the warehouse has none."""
    folder = dataset_folder(dataset, workspace)
    tables = [path / "rows" for path in folder.iterdir() if path.is_dir()] if folder.exists() else []
    found = (record.snapshot for table in tables for record in records(table))
    return next((snapshot for snapshot in found if snapshot.digest == digest), None)
