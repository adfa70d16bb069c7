"""Train, or find that it was trained before: the decision, the program, and what it left."""

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterPipesExecutionError  # not among Dagster's public names

from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.errors import REFUSED, USER_ERROR, MachineryError, RefusedError, UsageError
from dagster_project.domain.fingerprint import keys_of
from dagster_project.domain.projection import Projection
from dagster_project.domain.requests import build_request
from dagster_project.domain.snapshot import Snapshot, SplitResult
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.provenance import vouch
from dagster_project.factories.reuse import build_ref, stored_bundle
from dagster_project.storage.files import read_optional, write_atomic
from dagster_project.storage.store import ArtifactStore

PROGRAM = "dagster_project.factories.trainer"


@dataclass(frozen=True)
class Trained:
    """A bundle in the store. ``seconds`` by stage; what was reused cost nothing."""

    bundle: str
    build_key: str
    reused: bool
    seconds: float
    stages: dict[str, float]


def train_or_reuse(
    context: dg.AssetExecutionContext,
    pipes: dg.PipesSubprocessClient,
    spec: ModelSpec,
    projection: Projection,
    snapshot: Snapshot,
    split: SplitResult,
    workspace: Workspace,
) -> Trained:
    """The bundle of this spec over this snapshot.

    Raises:
        RefusedError: nothing could be learnt, or the export does not answer as the estimator did.
        UsageError: the training program found something wrong in the user's files.
        MachineryError: it broke; its own words are in the run's log.
    """
    store = ArtifactStore.of(workspace)
    keys = keys_of(spec, snapshot.digest)
    bundle = stored_bundle(store, spec.name, keys.build)
    if bundle is not None:
        return Trained(bundle, keys.build, reused=True, seconds=0.0, stages={})
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="acts-training-") as folder:
        request = build_request(
            spec,
            projection,
            snapshot,
            split,
            store=workspace.store,
            result=str(Path(folder) / "result.json"),
            cpus=os.cpu_count() or 1,
        )
        result = run_program(context, pipes, request, Path(folder))
    seconds = round(time.perf_counter() - begin, 3)
    vouch(result.bundle, keys.build, spec.name, snapshot, keys.environment, context.run_id, workspace)
    store.set_ref(build_ref(spec.name, keys.build), {"bundle": result.bundle, "seconds": seconds})
    return Trained(result.bundle, keys.build, reused=False, seconds=seconds, stages=result.seconds)


def run_program(
    context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient, request: BuildRequest, folder: Path
) -> TrainingResult:
    """Run the training program on ``request`` and read its result. Its lines go where ours go."""
    path = folder / "request.json"
    write_atomic(path, request.to_json().encode())
    command = [sys.executable, "-m", PROGRAM, str(path)]
    try:
        pipes.run(context=context, command=command)
    except DagsterPipesExecutionError as error:
        raise _reason(str(error)) from error
    data = read_optional(request.result)
    if data is None:
        raise MachineryError("The training program ended well but left no result. Run the build again.")
    return TrainingResult.from_json(data)


def _reason(message: str) -> Exception:
    """What the program's exit code means; Pipes puts it at the end of its message."""
    code = message.rsplit(" ", 1)[-1]
    words = f"The training program ended with exit code {code}. Its last lines are above."
    return {str(REFUSED): RefusedError(words), str(USER_ERROR): UsageError(words)}.get(code, MachineryError(words))
