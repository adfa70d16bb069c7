"""Reproduction: train again from the lock, and compare the bytes, then the answers."""

import sys
import tempfile
from pathlib import Path
from typing import Literal

from ci.git import GitTree
from ci.programs import run_module
from ci.session import open_head
from dagster_project.domain.base import StrictModel
from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.contract import DataContract
from dagster_project.domain.errors import MachineryError, UsageError
from dagster_project.domain.headroom import Headroom
from dagster_project.domain.loading import load_repository
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.projection import project
from dagster_project.domain.repository import Repository
from dagster_project.domain.requests import build_request
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore

TOLERANCE = 1e-5
"""Largest difference of a probability, or of a value in standard deviations of the champion's answers."""


class Reproduction(StrictModel):
    """What training again from a lock gave."""

    schema_version: Literal[1] = 1
    model: str
    outcome: Literal["bit_for_bit", "within_tolerance", "different"]
    champion: str
    again: str
    maximum_difference: float | None = None
    same_code: bool
    same_environment: bool
    seconds: dict[str, float]


def reproduce(repo: Path, model: str, *, quiet: bool = False) -> Reproduction:
    """Train ``model``'s champion again.

    Raises:
        UsageError: there is no lock, or its spec or snapshot isn't here any more.
        MachineryError: training broke.
    """
    workspace, head = open_head(repo)
    lock = head.locks.get(model)
    if lock is None:
        raise UsageError(f"{model}: there is no champion lock to reproduce. Promote one first.")
    from dagster_project.data.splits import write_split

    repository = _as_locked(workspace, head, lock)
    spec = repository.specs[model]
    contract = repository.contracts[spec.contract.name]
    snapshot = _snapshot(workspace, contract, lock)
    with tempfile.TemporaryDirectory(prefix="acts-reproduce-") as folder:
        split = write_split(spec, contract, snapshot, workspace)
        store, answer = str(Path(folder) / "store"), str(Path(folder) / "result.json")
        request = build_request(spec, project(spec, contract), snapshot, split, store=store, result=answer)
        request = request.model_copy(update={**_streamed(workspace, lock), "spec": _unexamined(spec)})
        path = Path(folder) / "request.json"
        path.write_text(request.to_json())
        code = run_module(workspace, "dagster_project.training.job", str(path), quiet=quiet)
        if code or not Path(request.result).exists():
            raise MachineryError(f"{model}: training again ended with exit code {code}. Its last lines are above.")
        result = TrainingResult.from_json(Path(request.result).read_bytes())
        difference = None if result.onnx == lock.onnx else _difference(workspace, request, result, lock)
    return Reproduction(
        model=model,
        outcome=_outcome(difference),
        champion=lock.onnx,
        again=result.onnx,
        maximum_difference=difference,
        same_code=request.code_digest == lock.code,
        same_environment=request.environment_digest == lock.environment,
        seconds=result.seconds,
    )


def _outcome(difference: float | None) -> Literal["bit_for_bit", "within_tolerance", "different"]:
    if difference is None:
        return "bit_for_bit"
    return "within_tolerance" if difference <= TOLERANCE else "different"


def _as_locked(workspace: Workspace, head: Repository, lock: ChampionLock) -> Repository:
    """The declarations that the champion was trained by: these, or those of the commit that the lock names."""
    if head.specs[lock.model].training_digest() == lock.spec:
        return head
    if lock.commit:
        before = load_repository(GitTree(workspace.repo, lock.commit))
        if lock.model in before.specs and before.specs[lock.model].training_digest() == lock.spec:
            return before
    raise UsageError(f"{lock.model}: its spec is not the lock's, and commit {lock.commit} does not have it either.")


def _unexamined(spec: ModelSpec) -> ModelSpec:
    """The graph is asked for, and nothing of it depends on what its headroom is."""
    return spec.model_copy(update={"headroom": Headroom()})


def _snapshot(workspace: Workspace, contract: DataContract, lock: ChampionLock) -> Snapshot:
    from dagster_project.data.records import find_snapshot

    found = find_snapshot(contract.name, lock.snapshot, workspace)
    if found is None:
        raise UsageError(
            f"{contract.name}: snapshot {lock.snapshot} is not in the warehouse. Point ACTS_WAREHOUSE at it."
        )
    return found


def _streamed(workspace: Workspace, lock: ChampionLock) -> dict[str, int]:
    """The request's memory and cores, where the champion's train rows streamed."""
    streamed = load_manifest(ArtifactStore.of(workspace), lock.bundle).streamed
    return streamed.model_dump() if streamed else {}


def _difference(workspace: Workspace, request: BuildRequest, result: TrainingResult, lock: ChampionLock) -> float:
    """Largest difference of the two graphs' answers to the validation rows."""
    import numpy as np
    import polars as pl

    from ci.judging.models import load_judged

    rows = pl.read_parquet(request.split.validation.uri)
    champion = load_judged(ArtifactStore.of(workspace), lock.bundle).answers(rows)
    again = load_judged(ArtifactStore(request.store), result.bundle).answers(rows)
    if champion.scores is not None and again.scores is not None:
        return float(np.abs(champion.scores - again.scores).max())
    values, others = np.asarray(champion.values), np.asarray(again.values)
    return float(np.abs(values - others).max() / max(float(values.std()), sys.float_info.min))
