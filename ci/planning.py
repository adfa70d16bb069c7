"""Gather what the pure plan needs: two trees, and what the workspace knows."""

import re
from pathlib import Path
from statistics import median
from typing import Any

from ci.former import datasets_of, former_locks, has_returned, is_of_these_rules
from ci.git import GitTree, WorkingTree, default_base, differs, differs_beside
from dagster_project.data.records import current_snapshot
from dagster_project.domain.errors import Problem, UserFileError
from dagster_project.domain.estimates import Estimate, estimate
from dagster_project.domain.fingerprint import ENTRIES, PACKAGE, environment_digest, model_code
from dagster_project.domain.known import KnownState
from dagster_project.domain.loading import Reading, read_repository
from dagster_project.domain.plan import Plan
from dagster_project.domain.planning import build_plan
from dagster_project.domain.profiles import load_profiles
from dagster_project.domain.promoted import PROMOTED
from dagster_project.domain.repository import Repository, Tree
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.leases import LeaseLedger
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore

WORKING = "working tree"
HISTORY = 5
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def make_plan(repo: Path, base: str | None = None, head: str | None = None) -> Plan:
    """Plan ``head`` (None: the working folder) against ``base`` (None: where the branch left main).

    Raises:
        UserFileError: files of the head that the change itself touched, or that can't be read, are wrong.
        UsageError: there is no such commit.
    """
    before = GitTree(repo, base if base is not None else default_base(repo))
    after: Tree = WorkingTree(repo) if head is None else GitTree(repo, head)
    base_reading, head_reading = read_repository(before), read_repository(after)
    broken = _broken_elsewhere(base_reading, head_reading)
    known = gather(Workspace(repo=repo), before, after, base_reading.repository, head_reading.repository)
    name = WORKING if head is None else after.name
    return build_plan(base_reading.repository, head_reading.repository, before.name, name, known, broken)


def _broken_elsewhere(base: Reading, head: Reading) -> list[Problem]:
    """Problems of files that the change left alone: it broke them by what it did elsewhere. Others are raised."""
    before, after = base.repository.files, head.repository.files
    inherited = {str(problem) for problem in base.problems}
    elsewhere = [
        problem
        for problem in head.problems
        if problem not in head.unread and before.get(problem.file) == after.get(problem.file)
    ]
    own = [problem for problem in head.problems if problem not in elsewhere]
    if own or any(str(problem) in inherited for problem in elsewhere):
        raise UserFileError(head.problems)
    return elsewhere


def gather(workspace: Workspace, before: GitTree, after: Tree, base: Repository, head: Repository) -> KnownState:
    """What the workspace's store, warehouse and ledgers say about the head's datasets and models."""
    store = ArtifactStore.of(workspace)
    locks = [lock for name, lock in head.locks.items() if base.locks.get(name) != lock]
    verdicts = {lock.verdict: Verdict.from_json(store.get(lock.verdict)) for lock in locks if _has(store, lock.verdict)}
    bundles = {lock.bundle: load_manifest(store, lock.bundle) for lock in locks if _has(store, lock.bundle)}
    snapshots = {name: current_snapshot(name, workspace) for name in head.contracts}
    return KnownState(
        snapshots={name: snapshot for name, snapshot in snapshots.items() if snapshot},
        builds={name: tuple(ref.rsplit("/", 1)[-1] for ref in store.refs(f"builds/{name}")) for name in head.specs},
        seconds=_history(workspace),
        costs=_costs(workspace, head),
        verdicts=verdicts,
        bundles=bundles,
        settled=tuple(
            lock.model
            for lock in locks
            if _is_settled(verdicts.get(lock.verdict), before, after)
            or is_of_these_rules(verdicts.get(lock.verdict), before, head)
            or has_returned(before, after, lock.model, datasets_of(head, lock.model))
        ),
        former={lock.model: former_locks(before, lock.model) for lock in locks},
        code={name: model_code(spec) for name, spec in head.specs.items()},
        environment=environment_digest(),
        code_changed=_code_changed(before, after, base, head),
    )


def _is_settled(verdict: Verdict | None, before: GitTree, after: Tree) -> bool:
    """Whether nothing but locks changed since the verdict, on either side."""
    if verdict is None or verdict.head is None or verdict.base != before.commit:
        return False
    head = after.commit if isinstance(after, GitTree) else None
    return not differs_beside(before.repo, verdict.head, head, *PROMOTED)


def _has(store: ArtifactStore, digest: str) -> bool:
    return bool(_DIGEST.fullmatch(digest)) and store.has(digest)


def _history(workspace: Workspace) -> dict[str, float]:
    """By 'action:kind:name': median seconds of the last few that ran to their end."""
    times: dict[str, list[float]] = {}
    for row in Ledger(workspace.ledger, "builds").rows():
        if row["outcome"] in ("built", "passed") or (row.get("action") == "judge" and row["outcome"] == "failed"):
            for step, seconds in _steps_of(row):
                times.setdefault(step, []).append(float(seconds))
    return {step: median(seconds[-HISTORY:]) for step, seconds in times.items()}


def _costs(workspace: Workspace, head: Repository) -> dict[str, Estimate]:
    """By model: what a build on its spec's profile will cost. A profile that isn't there is told as a problem."""
    profiles, ends = load_profiles(), LeaseLedger(workspace.ledger).ends()
    known = {name: spec.compute for name, spec in head.specs.items() if spec.compute.profile in profiles.profiles}
    found = {name: estimate(name, compute, profiles, ends) for name, compute in known.items()}
    return {name: cost for name, cost in found.items() if cost}


def _steps_of(row: dict[str, Any]) -> list[tuple[str, float]]:
    """A dataset's build runs what it is derived from too, each with its own seconds."""
    action, kind = row.get("action", "build"), row["kind"]
    if action == "build" and kind == "dataset" and row.get("stages"):
        return [(f"build:dataset:{name}", seconds) for name, seconds in row["stages"].items()]
    return [(f"{action}:{kind}:{row['name']}", row["seconds"])]


def _code_changed(before: GitTree, after: Tree, base: Repository, head: Repository) -> tuple[str, ...]:
    """Models whose training code the change touches, where the repository carries the code at all."""
    if not differs(before.repo, before.commit, None if isinstance(after, WorkingTree) else after.name, PACKAGE):
        return ()
    if not all(ENTRIES[0] in tree.paths(PACKAGE) for tree in (before, after)):
        return ()
    return tuple(
        name
        for name in sorted(base.specs.keys() & head.specs.keys())
        if model_code(head.specs[name], _source(before)) != model_code(head.specs[name], _source(after))
    )


def _source(tree: Tree) -> Any:
    def read(path: str) -> bytes | None:
        try:
            return tree.read(path)
        except FileNotFoundError:
            return None

    return read
