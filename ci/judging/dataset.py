"""``acts judge DATASET``: the contract's rules, deepchecks' data suites, and what the change does to the rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ci.judging.diagnosis import Diagnosis, diagnose, diagnosis_key, kept_report
from ci.judging.difference import difference
from ci.judging.model import Commits
from ci.judging.snapshots import materialised
from dagster_project.domain.decide import Case, decide
from dagster_project.domain.facts import Facts
from dagster_project.domain.repository import Repository
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Finding, Measurements, Subject, Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    import polars as pl


def judge_dataset(
    name: str, base: Repository, head: Repository, workspace: Workspace, commits: Commits
) -> tuple[Verdict, dict[str, str]]:
    """The contract verdict, and the suites' pages by digest.

    Raises:
        MachineryError: a snapshot could not be made for a reason that is not the data's.
    """
    started = time.perf_counter()
    before = materialised(name, base, workspace).snapshot if name in base.contracts else None
    made = materialised(name, head, workspace)
    findings: tuple[Finding, ...] = made.findings
    facts, pages = Facts(), {}
    if made.snapshot is not None:
        diagnosis, facts = _examined(name, head, before, made.snapshot, ArtifactStore.of(workspace))
        findings, pages = (*findings, *diagnosis.findings), diagnosis.pages
    facts = facts.model_copy(update={"timings": {"judge": round(time.perf_counter() - started, 3)}})
    case = Case(
        subject=Subject(kind="dataset", name=name),
        snapshot=made.snapshot.digest if made.snapshot else None,
        spec=head.contracts[name].data_digest(),
        base=commits.base,
        head=commits.head,
        facts=facts.model_dump(mode="json"),
    )
    return decide((), Measurements(checks=findings), case), pages


def _examined(
    name: str, head: Repository, before: Snapshot | None, after: Snapshot, store: ArtifactStore
) -> tuple[Diagnosis, Facts]:
    from dagster_project.quality.suites import run_data_suites

    contract = head.contracts[name]
    changed = before is not None and before.digest != after.digest
    old, new = _rows(before) if before and changed else None, _rows(after)

    def run() -> Diagnosis:
        return kept_report(store, run_data_suites(contract, new, old))

    conditions = [condition.model_dump(mode="json") for condition in contract.conditions]
    key = diagnosis_key(after.digest, before.digest if before and changed else None, contract.data_digest(), conditions)
    moved = difference(before, after, new if before and not changed else old, new)
    return diagnose(store, key, run), Facts(rows={"dataset": after.rows}, difference=moved)


def _rows(snapshot: Snapshot) -> pl.DataFrame:
    from dagster_project.data.datasets import read

    return read(snapshot).collect()
