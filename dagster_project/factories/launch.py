"""A build in this process: the job's assets run, and what their checks found becomes a BuildResult."""

import os
import time
import warnings
from collections.abc import Iterable
from typing import Any

import dagster as dg

from dagster_project.domain import errors
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import ActsError, MachineryError
from dagster_project.domain.lease import LeaseEnd
from dagster_project.domain.repository import Repository
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Outcome
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.assembly import definitions_for, target_key
from dagster_project.factories.checks import findings_of
from dagster_project.factories.console import LOGGERS
from dagster_project.factories.instance import open_instance
from dagster_project.factories.models import search_key
from dagster_project.factories.naming import build_job
from dagster_project.factories.provenance import origin_of
from dagster_project.factories.shared import shared_url
from dagster_project.factories.values import documents_of

REFUSED_BY_CHECK = "DagsterAssetCheckFailedError"
INTERRUPTED = "DagsterExecutionInterruptedError"  # SIGINT or SIGTERM, which Dagster takes


def launch(repository: Repository, workspace: Workspace, kind: str, name: str) -> BuildResult:
    """Run the build job of a dataset or model, and say what came of it.

    Raises:
        ActsError: an asset raised one, or the environment says something wrong of the job's origin.
        MachineryError: an asset raised something else.
        KeyboardInterrupt: the run was told to end.
    """
    begin = time.perf_counter()
    origin = origin_of(workspace)
    documents = documents_of(workspace)
    job = definitions_for(repository, workspace, documents).resolve_job_def(build_job(kind, name))
    with open_instance(workspace) as instance, warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # Pipes' own use of its own preview
        run = job.execute_in_process(
            instance=instance,
            run_config=LOGGERS,
            raise_on_error=False,
            tags={"acts/kind": kind, "acts/name": name, **origin.tags},
        )
    if was_interrupted(run.all_events):
        raise KeyboardInterrupt
    for error in errors_of(run.all_events):
        raise error
    target = _metadata(run, target_key(kind, name))
    findings = findings_of(run.get_asset_check_evaluations())
    dataset = repository.specs[name].contract.name if kind == "model" else name
    snapshot = documents.of_run(run.run_id, dataset)
    failed = not run.success or any(finding.outcome is Outcome.FAILED for finding in findings)
    return BuildResult(
        kind="model" if kind == "model" else "dataset",
        name=name,
        outcome="failed" if failed else "reused" if target.get("reused") else "built",
        snapshot=snapshot if isinstance(snapshot, Snapshot) else None,
        bundle=target.get("bundle"),
        build_key=target.get("build_key"),
        findings=findings,
        run=run.run_id,
        shared=shared_url(os.environ) is not None,
        seconds=round(time.perf_counter() - begin, 3),
        stages=_stages(run),
        lease=_lease(run, name) if kind == "model" else None,
    )


def was_interrupted(events: Iterable[dg.DagsterEvent]) -> bool:
    """Whether a step ended because the process was told to."""
    for event in events:
        error = event.step_failure_data.error if event.is_step_failure else None
        while error is not None:
            if error.cls_name == INTERRUPTED:
                return True
            error = error.cause
    return False


def errors_of(events: Iterable[dg.DagsterEvent]) -> list[ActsError]:
    """What assets raised, other than a blocking check that failed: that is an answer, not an error."""
    found = []
    for event in events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error
            if error.cls_name == REFUSED_BY_CHECK:
                continue
            while error.cause is not None and not _is_ours(error.cls_name):
                error = error.cause  # Dagster wraps what was raised; what an error of ours came from is not asked
            found.append(_as_ours(error.cls_name or "", error.message, event.step_key or "?"))
    return found


def _as_ours(kind: str, message: str, step: str) -> ActsError:
    """An error of ours by its name; a stranger's is the machinery's."""
    words = message.strip().removeprefix(f"dagster_project.domain.errors.{kind}:").strip()
    if kind == "UserFileError":
        return errors.UsageError(words)  # its problems are in its words
    if _is_ours(kind):
        ours: type[ActsError] = getattr(errors, kind)
        return ours(words)
    return MachineryError(f"{step}: {words}. The whole trace is in the run, in Dagster's UI.")


def _is_ours(kind: str | None) -> bool:
    known = getattr(errors, kind or "", None)
    return isinstance(known, type) and issubclass(known, ActsError)


def _metadata(run: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, Any]:
    """The values of the asset's materialisation in this run; nothing where it did not come to that."""
    found: dict[str, Any] = {}
    for event in run.get_asset_materialization_events():
        if event.asset_key == key:
            found = {name: value.value for name, value in event.materialization.metadata.items()}
    return found


def _lease(run: dg.ExecuteInProcessResult, model: str) -> LeaseEnd | None:
    """What the search took; None where nothing was trained."""
    end = _metadata(run, search_key(model)).get("lease")
    return None if end is None else LeaseEnd.model_validate(end)


def _stages(run: dg.ExecuteInProcessResult) -> dict[str, float]:
    """Seconds by step, and by stage of the training program."""
    stages = {}
    for event in run.all_events:
        if event.is_step_success and event.step_key:
            stages[event.step_key.replace("__", "/")] = round(event.step_success_data.duration_ms / 1000, 3)
        if event.is_step_materialization:
            for name, value in event.step_materialization_data.materialization.metadata.items():
                if name.startswith("seconds_"):
                    stages[name.removeprefix("seconds_")] = float(str(value.value))
    return stages
