"""Datasets: rows from a source or from SQL become the next version of a snapshot, or a finding says why not."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from upath import UPath

from dagster_project.data.derived import derived_part
from dagster_project.data.records import (
    FileMark,
    Record,
    current_snapshot,
    dataset_folder,
    latest_record,
    point_at,
    records,
)
from dagster_project.data.rule_findings import finding
from dagster_project.data.sources.choose import chosen_server, open_source
from dagster_project.data.sources.parts import Part, Source
from dagster_project.data.sql import Limits
from dagster_project.data.tables import ConflictError, table_files
from dagster_project.data.versions import Materialised, Version, reused
from dagster_project.domain.base import digest_of
from dagster_project.domain.contract import DataContract
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.domain.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Materialised", "current_snapshot", "materialise", "read", "read_quarantine", "standing"]

ATTEMPTS = 8


def materialise(
    contract: DataContract, inputs: Mapping[str, Snapshot], workspace: Workspace, limits: Limits | None = None
) -> Materialised:
    """Bring the dataset up to date: new files are added, a changed table or new inputs replace it, else it is reused.

    Safe to run twice and at once (the later of two builds starts over on what the earlier one left) and to kill.

    Raises:
        UserFileError: the contract's server or SQL is wrong.
        MachineryError: disk, network or storage broke; the last snapshot is as it was.
    """
    started = time.perf_counter()
    for _ in range(ATTEMPTS):
        try:
            made = _materialise(contract, inputs, workspace, limits or Limits())
        except ConflictError:
            continue
        if made.snapshot:
            point_at(made.snapshot, workspace)
        return replace(made, seconds=time.perf_counter() - started)
    raise MachineryError(
        f"{contract.name}: {ATTEMPTS} builds at once wrote the dataset. Run it again when they are done."
    )


def read(snapshot: Snapshot, columns: list[str] | None = None) -> "pl.LazyFrame":
    """The snapshot's rows, in no particular order."""
    import polars as pl

    frame = pl.scan_parquet(table_files(snapshot.uri, snapshot.version))
    return frame.select(columns) if columns is not None else frame


def read_quarantine(snapshot: Snapshot) -> "pl.LazyFrame | None":
    """Rows put aside, with a column ``_broken_rules``; None where there are none."""
    import polars as pl

    for record in records(UPath(snapshot.uri)):
        if record.snapshot.version == snapshot.version and record.quarantine:
            folder = UPath(snapshot.uri).parent / "quarantine"
            return pl.scan_parquet([str(folder / name) for name in record.quarantine])
    return None


def standing(contract: DataContract, inputs: Mapping[str, Snapshot], workspace: Workspace) -> Materialised | None:
    """What ``materialise`` would answer with nothing to do; None where it has to read rows or to refuse them.

    Raises:
        UserFileError, MachineryError: as ``materialise`` does.
    """
    started = time.perf_counter()
    folder, source = _place(contract, workspace)
    if source is None:
        made = _derived_before(records(folder / "rows"), contract, inputs)
    else:
        last = latest_record(folder / "rows")
        made = reused(last, contract) if last and not any(_news(source, last)) else None
    if made is None or made.snapshot is None:
        return None
    point_at(made.snapshot, workspace)
    return replace(made, seconds=time.perf_counter() - started)


def _materialise(
    contract: DataContract, inputs: Mapping[str, Snapshot], workspace: Workspace, limits: Limits
) -> Materialised:
    folder, source = _place(contract, workspace)
    if source is None:
        return _from_sql(contract, inputs, folder, workspace, limits)
    return _from_source(contract, source, folder, workspace, limits)


def _place(contract: DataContract, workspace: Workspace) -> tuple[UPath, Source | None]:
    """The folder of what this contract makes of its server, and the source; None where SQL makes the rows."""
    server = None if contract.derivation else chosen_server(contract, workspace)
    key = digest_of([contract.data_digest(), server.name if server else None])
    folder = dataset_folder(contract.name, workspace) / key.removeprefix("sha256:")[:16]
    return folder, open_source(contract, server, workspace) if server else None


def _from_sql(
    contract: DataContract, inputs: Mapping[str, Snapshot], folder: UPath, workspace: Workspace, limits: Limits
) -> Materialised:
    made = records(folder / "rows")
    if standing := _derived_before(made, contract, inputs):
        return standing
    with derived_part(contract, inputs, limits) as part:
        version = Version(contract, folder, workspace, limits, made[0] if made else None)
        return version.make((part,), grows=False, inputs=_digests(inputs))


def _derived_before(made: list[Record], contract: DataContract, inputs: Mapping[str, Snapshot]) -> Materialised | None:
    """What came of the very same inputs earlier."""
    digests = _digests(inputs)
    return next((reused(record, contract) for record in made if record.snapshot.inputs == digests), None)


def _digests(inputs: Mapping[str, Snapshot]) -> dict[str, str]:
    return {name: snapshot.digest for name, snapshot in sorted(inputs.items())}


def _from_source(
    contract: DataContract, source: Source, folder: UPath, workspace: Workspace, limits: Limits
) -> Materialised:
    last = latest_record(folder / "rows")
    fresh, changed = _news(source, last)
    if changed and source.grows:
        return Materialised(None, tuple(_changed(part, contract, folder) for part in changed))
    if last and not fresh:
        return reused(last, contract)
    return Version(contract, folder, workspace, limits, last).make(fresh, grows=source.grows)


def _news(source: Source, last: Record | None) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """(parts to read, those of them that were read before and are not what they were)."""
    known = {mark.path: mark for mark in last.files} if last else {}
    changed = [part for part in source.parts if part.mark.path in known and not _same(part, known[part.mark.path])]
    fresh = [part for part in source.parts if part.mark.path not in known or part in changed]
    return tuple(fresh), tuple(changed)


def _same(part: Part, known: FileMark) -> bool:
    """A part without a mark has to be read to know; a file copied anew has another time and the same bytes."""
    if not part.mark.mark:
        return False
    if (part.mark.size, part.mark.mark) == (known.size, known.mark):
        return True
    return part.mark.size == known.size and known.digest is not None and part.digest() == known.digest


def _changed(part: Part, contract: DataContract, folder: UPath) -> Finding:
    return finding(
        "source_changed",
        contract,
        Outcome.FAILED,
        f"{part.mark.path} was read before and has changed since; its old rows are in the snapshot",
        f"Restore it and deliver the change as a new file, or remove {folder} to read everything anew.",
    )
