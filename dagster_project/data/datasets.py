"""Datasets: rows from a source or from SQL become the next version of a snapshot, or a finding says why not."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from upath import UPath

from dagster_project.data.column_statistics import merge
from dagster_project.data.derived import derived_part
from dagster_project.data.digests import MODULUS, table_digest
from dagster_project.data.intake import Intake
from dagster_project.data.records import (
    FileMark,
    Record,
    Tally,
    current_snapshot,
    dataset_folder,
    latest_record,
    point_at,
    records,
)
from dagster_project.data.rule_findings import clean_finding, finding, quarantine_finding
from dagster_project.data.rule_terms import is_row_rule, rules_of
from dagster_project.data.rules import judge
from dagster_project.data.sources.choose import chosen_server, open_source
from dagster_project.data.sources.parts import Part, Source
from dagster_project.data.sql import Limits
from dagster_project.data.tables import ConflictError, commit, table_files
from dagster_project.data.whole import judge_whole
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
BAD = (Outcome.FAILED, Outcome.BROKEN)


@dataclass(frozen=True)
class Materialised:
    """What became of a dataset. Without a snapshot a finding failed, and the last snapshot is as it was."""

    snapshot: Snapshot | None
    findings: tuple[Finding, ...]
    reused: bool = False
    seconds: float = 0.0
    new_rows: int = 0
    statistics: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the rows were refused."""
        return self.snapshot is None


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
        made = _reused(last, contract) if last and not any(_news(source, last)) else None
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
    return next((_reused(record, contract) for record in made if record.snapshot.inputs == digests), None)


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
        return _reused(last, contract)
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


def _reused(record: Record, contract: DataContract) -> Materialised:
    """The same rows again. How old they are is asked again; everything else was answered when they came."""
    rules = {rule.name: rule for rule in rules_of(contract) if rule.kind == "freshness"}
    findings = tuple(
        judge(rules[found.name], contract, record.tally) if found.name in rules else _placed(found, contract)
        for found in record.findings
    )
    snapshot = record.snapshot.model_copy(update={"contract_version": contract.version})
    stale = any(found.outcome in BAD for found in findings)
    return Materialised(None if stale else snapshot, findings, reused=True, statistics=record.statistics)


def _placed(found: Finding, contract: DataContract) -> Finding:
    """The finding at the line where its rule stands today."""
    lines = {rule.name: rule.line for rule in rules_of(contract)}
    return found.model_copy(update={"file": contract.file, "line": lines.get(found.name, found.line)})


@dataclass(frozen=True)
class Version:
    """The making of a table's next version."""

    contract: DataContract
    folder: UPath
    workspace: Workspace
    limits: Limits
    last: Record | None

    def make(self, parts: tuple[Part, ...], *, grows: bool, inputs: dict[str, str] | None = None) -> Materialised:
        """Take the parts, judge old and new rows together, and commit unless a finding says no."""
        intake = Intake(self.contract, self.folder)
        base = self.last if grows else None
        try:
            for part in parts:
                intake.take(part)
            findings = tuple(intake.faults) or self._judge(intake, base)
            if any(found.outcome in BAD for found in findings):
                intake.drop()
                return Materialised(None, findings)
            record = self._record(intake, base, parts, findings, inputs or {})
            if self._unchanged(record):
                intake.drop()
                return _reused(self.last or record, self.contract)
        except BaseException:
            intake.drop()
            raise
        # From here on nothing is removed: a commit that seems to have failed may have been written.
        commit(self.folder / "rows", self.contract, intake.staged, record, "append" if grows else "overwrite")
        return Materialised(record.snapshot, findings, False, 0.0, intake.tally.rows, record.statistics)

    def _unchanged(self, record: Record) -> bool:
        """A table that was read whole and has the rows that it had."""
        last = self.last
        return last is not None and last.snapshot.inputs == record.snapshot.inputs and (
            last.snapshot.digest, last.broken, last.files
        ) == (record.snapshot.digest, record.broken, record.files)  # fmt: skip

    def _judge(self, intake: Intake, base: Record | None) -> tuple[Finding, ...]:
        tally = (base.tally if base else Tally()).plus(intake.tally)
        broken = _added(base.broken if base else {}, intake.broken)
        if tally.rows == 0:
            return (_no_rows(self.contract, intake.read),)
        old = table_files(base.snapshot.uri, base.snapshot.version) if base else []
        files = [*old, *(str(self.folder / "rows" / staged.name) for staged in intake.staged)]
        rows = tally.rows + (base.snapshot.quarantined if base else 0) + sum(s.rows for s in intake.set_aside)
        columns = len(self.contract.columns)
        found = [clean_finding("column_types", self.contract, f"{columns} columns, each of the promised type")]
        for rule in intake.rules:
            if is_row_rule(rule) and rule.severity == "error":
                said = quarantine_finding(rule, self.contract, broken.get(rule.name, 0), rows)
                samples = intake.samples[rule.name].details if rule.name in intake.samples else {}
                found.append(said.model_copy(update={"details": {**said.details, **samples}}))
            else:
                found.append(judge(rule, self.contract, tally))
        return (*found, *judge_whole(self.contract, files, tally, self.workspace, self.limits))

    def _record(
        self, intake: Intake, base: Record | None, parts: tuple[Part, ...], findings: tuple[Finding, ...],
        inputs: dict[str, str],
    ) -> Record:  # fmt: skip
        total = (int(base.total, 16) if base else 0) + intake.total
        tally = (base.tally if base else Tally()).plus(intake.tally)
        files = (*(base.files if base else ()), *(_marked(part) for part in parts if not inputs))
        aside = tuple(staged.name for staged in intake.set_aside)
        snapshot = Snapshot(
            dataset=self.contract.name,
            contract_version=self.contract.version,
            contract_digest=self.contract.data_digest(),
            uri=str(self.folder / "rows"),
            version=self.last.snapshot.version + 1 if self.last else 0,
            digest=table_digest(self.contract.columns, tally.rows, total % MODULUS),
            rows=tally.rows,
            quarantined=(base.snapshot.quarantined if base else 0) + sum(staged.rows for staged in intake.set_aside),
            inputs=inputs,
            files=len(files),
            created=datetime.now(UTC),
        )
        return Record(
            snapshot=snapshot,
            total=f"{total % MODULUS:x}",
            files=files,
            tally=tally,
            broken=_added(base.broken if base else {}, intake.broken),
            quarantine=(*(base.quarantine if base else ()), *aside),
            findings=findings,
            statistics=merge(base.statistics if base else {}, intake.statistics),
        )


def _marked(part: Part) -> FileMark:
    return part.mark.model_copy(update={"digest": part.digest()})


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted({*one, *other})}


def _no_rows(contract: DataContract, read: int) -> Finding:
    message = f"all {read:,} rows break a rule and none is left" if read else "the source has no rows"
    hint = "Correct the rows at the source, or the contract's rules." if read else "Deliver rows, or correct the path."
    return finding("source", contract, Outcome.FAILED, message, hint, value=str(read))
