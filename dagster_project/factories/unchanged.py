"""Whether a build has anything to do. Asked before Dagster is imported: most second runs end here."""

import time

from dagster_project.domain.build import BuildResult
from dagster_project.domain.fingerprint import keys_of
from dagster_project.domain.repository import Repository
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.bundle_findings import bundle_findings
from dagster_project.factories.naming import referred
from dagster_project.factories.reuse import stored_bundle
from dagster_project.storage.store import ArtifactStore


def unchanged(repository: Repository, workspace: Workspace, kind: str, name: str) -> BuildResult | None:
    """The result of a build in which everything stands already; None where something has to run.

    Raises:
        UserFileError: a source is not where the contract says.
        MachineryError: the store or a table is harmed.
    """
    begin = time.perf_counter()
    dataset = repository.specs[name].contract.name if kind == "model" else name
    standing = standing_datasets(repository, workspace, dataset)
    if standing is None:
        return None
    snapshots, findings = standing
    snapshot = snapshots[dataset]
    bundle = key = None
    if kind == "model":
        store = ArtifactStore.of(workspace)
        key = keys_of(repository.specs[name], snapshot.digest).build
        bundle = stored_bundle(store, name, key)
        if bundle is None:
            return None
        findings += bundle_findings(store, bundle)
    if any(finding.outcome in (Outcome.FAILED, Outcome.BROKEN) for finding in findings):
        return None
    return BuildResult(
        kind="model" if kind == "model" else "dataset",
        name=name,
        outcome="reused",
        snapshot=snapshot,
        bundle=bundle,
        build_key=key,
        findings=findings,
        seconds=round(time.perf_counter() - begin, 3),
    )


def standing_datasets(
    repository: Repository, workspace: Workspace, dataset: str
) -> tuple[dict[str, Snapshot], tuple[Finding, ...]] | None:
    """Snapshots of ``dataset`` and of everything before it, with their findings; None where one has to be made."""
    from dagster_project.data.datasets import standing

    snapshots: dict[str, Snapshot] = {}
    findings: tuple[Finding, ...] = ()
    for name in in_order(repository, dataset):
        derivation = repository.contracts[name].derivation
        inputs = {source: snapshots[source] for source in derivation.inputs} if derivation else {}
        made = standing(repository.contracts[name], inputs, workspace)
        if made is None or made.snapshot is None:
            return None
        snapshots[name] = made.snapshot
        findings += made.findings
    return snapshots, findings


def in_order(repository: Repository, dataset: str) -> tuple[str, ...]:
    """``dataset`` and what has to be there before it, the earliest first."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        contract = repository.contracts[name]
        before = contract.derivation.inputs if contract.derivation else ()
        for source in (*before, *referred(contract)):
            if source not in found:
                visit(source)
        found[name] = None

    visit(dataset)
    return tuple(found)
