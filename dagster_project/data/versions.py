"""One version of a dataset's table: rows are taken in, judged with the old ones, and committed with a record."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from upath import UPath

from dagster_project.data.column_statistics import merge
from dagster_project.data.digests import MODULUS, table_digest
from dagster_project.data.intake import Intake
from dagster_project.data.records import FileMark, Record, Tally
from dagster_project.data.rule_findings import clean_finding, finding, quarantine_finding
from dagster_project.data.rule_terms import is_row_rule, rules_of
from dagster_project.data.rules import judge
from dagster_project.data.sources.parts import Part
from dagster_project.data.sql import Limits
from dagster_project.data.tables import commit, table_files
from dagster_project.data.whole import judge_whole
from dagster_project.domain.contract import DataContract
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.domain.workspace import Workspace

BAD = (Outcome.FAILED, Outcome.BROKEN)

MOST_NAMED = 5


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


def reused(record: Record, contract: DataContract) -> Materialised:
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
        # Before the rows are read: a file that changes meanwhile is noticed next time, not taken for what it became.
        marks = tuple(_marked(part) for part in parts if not inputs)
        try:
            for part in parts:
                intake.take(part)
            findings = tuple(intake.faults) or self._judge(intake, base)
            if any(found.outcome in BAD for found in findings):
                intake.drop()
                return Materialised(None, findings)
            record = self._record(intake, base, marks, findings, inputs or {})
            if self._unchanged(record):
                intake.drop()
                return reused(self.last or record, self.contract)
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
            return (_no_rows(self.contract, intake.read, broken),)
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
        self, intake: Intake, base: Record | None, marks: tuple[FileMark, ...], findings: tuple[Finding, ...],
        inputs: dict[str, str],
    ) -> Record:  # fmt: skip
        total = (int(base.total, 16) if base else 0) + intake.total
        tally = (base.tally if base else Tally()).plus(intake.tally)
        files = (*(base.files if base else ()), *marks)
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


def _no_rows(contract: DataContract, read: int, broken: dict[str, int]) -> Finding:
    """Which rules the rows break, the most broken first."""
    most = sorted(broken, key=lambda name: (-broken[name], name))[:MOST_NAMED]
    named = ", ".join(f"{name} ({broken[name]:,})" for name in most)
    message = f"all {read:,} rows break a rule and none is left: {named}" if read else "the source has no rows"
    hint = "Correct the rows at the source, or the contract's rules." if read else "Deliver rows, or correct the path."
    return finding("source", contract, Outcome.FAILED, message, hint, value=str(read))
