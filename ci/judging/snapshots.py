"""Snapshots that judging reads: made by trusted code, from the base branch's contracts and the pull request's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci.judging.rows import Sources
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.repository import Repository
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Outcome
from dagster_project.domain.workspace import Workspace

if TYPE_CHECKING:
    from dagster_project.data.datasets import Materialised


def current_sources(dataset: str, base: Repository, head: Repository, workspace: Workspace) -> Sources:
    """Both versions of a model's dataset; where the base branch has none, the pull request's is both.

    Raises:
        RefusedError: a dataset's rows were refused by its contract.
    """
    head_contract = head.contracts[dataset]
    base_contract = base.contracts.get(dataset, head_contract)
    before = snapshots_of(dataset, base, workspace) if dataset in base.contracts else {}
    after = snapshots_of(dataset, head, workspace)
    return Sources(before.get(dataset, after[dataset]), after[dataset], base_contract, head_contract, before, after)


def snapshot_of(dataset: str, repository: Repository, workspace: Workspace) -> Snapshot:
    """The dataset's current snapshot by the repository's contracts.

    Raises:
        RefusedError: its rows, or those of a dataset that it reads, were refused.
    """
    return snapshots_of(dataset, repository, workspace)[dataset]


def snapshots_of(dataset: str, repository: Repository, workspace: Workspace) -> dict[str, Snapshot]:
    """The same, with the snapshots of everything that it reads, by name."""
    made = _inputs_made(dataset, repository, workspace)
    result = _materialised(dataset, repository, made, workspace)
    if result.snapshot is None:
        raise _refused(dataset, result)
    return {**made, dataset: result.snapshot}


def materialised(dataset: str, repository: Repository, workspace: Workspace) -> Materialised:
    """The dataset brought up to date with everything that it reads; what is there already is not made again.

    Raises:
        RefusedError: the rows of a dataset that it reads were refused.
    """
    return _materialised(dataset, repository, _inputs_made(dataset, repository, workspace), workspace)


def _inputs_made(dataset: str, repository: Repository, workspace: Workspace) -> dict[str, Snapshot]:
    made: dict[str, Snapshot] = {}
    for name in repository.inputs_of(dataset):
        result = _materialised(name, repository, made, workspace)
        if result.snapshot is None:
            raise _refused(name, result)
        made[name] = result.snapshot
    return made


def _materialised(name: str, repository: Repository, made: dict[str, Snapshot], workspace: Workspace) -> Materialised:
    from dagster_project.data.datasets import materialise

    contract = repository.contracts[name]
    inputs = contract.derivation.inputs if contract.derivation else ()
    return materialise(contract, {source: made[source] for source in inputs}, workspace)


def _refused(name: str, made: Materialised) -> RefusedError:
    bad = (Outcome.FAILED, Outcome.BROKEN)
    words = "; ".join(finding.summary for finding in made.findings if finding.outcome in bad)
    return RefusedError(f"{name}: its rows were refused: {words}. Run acts build {name} to see them.")
