"""Experiments in Dagster: a sensor that asks whether one is due, and the asset that starts ``acts experiment``."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dagster_project.domain.contract import DataContract
from dagster_project.domain.errors import BROKEN, MachineryError
from dagster_project.domain.experimenting import ExperimentRow
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.checks import check_result
from dagster_project.factories.monitoring import part_key
from dagster_project.factories.naming import identifier, owner

STAGE, ENDING = "experiment", "ending"
SECONDS = 600
KIND, NAME = "acts/kind", "acts/name"
GOING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
GOING += [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
PROPOSED = ("opened", "updated", "unchanged")


def experiment_asset(spec: ModelSpec, workspace: Workspace) -> dg.AssetsDefinition:
    """A challenger on fresh data, proposed where it passes: whoever materialises it by hand waits for no cause."""
    key = experiment_key(spec.name)

    @dg.asset(
        key=key,
        deps=[part_key(spec.name, "labels"), part_key(spec.name, "performance"), part_key(spec.name, "drift")],
        description="A challenger that the system proposes by itself, as a pull request where it passes its gates.",
        owners=[owner(name) for name in spec.owners],
        group_name=spec.name,
        check_specs=[dg.AssetCheckSpec(ENDING, asset=key, description="Whether the last one was proposed.")],
    )
    def experiment(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # as dagster wants it
        asked = context.run.tags.get(KIND) == STAGE
        rows = run_experiment(spec.name, workspace, () if asked else ("--cause", "manual"))
        for row in rows:
            context.log.info(sentence(row))
        return experiment_result(key, rows)

    return experiment


def experiment_sensor(
    spec: ModelSpec, contract: DataContract, lock: ChampionLock | None, workspace: Workspace
) -> dg.SensorDefinition:
    """Asks what ``acts experiment`` asks; running where the spec's switch is on."""
    tags = {KIND: STAGE, NAME: spec.name}

    @dg.sensor(
        name=f"{identifier(spec.name)}_experiment_due",
        target=dg.AssetSelection.assets(experiment_key(spec.name)),
        minimum_interval_seconds=SECONDS,
        description=f"Starts an experiment of {spec.name} on a schedule, new rows, drift or a crossed bound.",
        default_status=dg.DefaultSensorStatus.RUNNING if spec.experiment.on else dg.DefaultSensorStatus.STOPPED,
    )
    def due(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from dagster_project.monitoring.experiments import is_due
        from dagster_project.monitoring.watched import Watched

        if context.instance.get_runs(dg.RunsFilter(tags=tags, statuses=GOING), limit=1):
            return dg.SkipReason("an experiment is running")
        found = is_due(Watched(spec, contract, lock, workspace), datetime.now(UTC))
        if found is None:
            return dg.SkipReason("nothing is due")
        return dg.RunRequest(tags={**tags, "acts/causes": ",".join(found.causes)})

    return due


def experiment_key(model: str) -> dg.AssetKey:
    """The asset of a model's experiments."""
    return dg.AssetKey([model, STAGE])


def run_experiment(model: str, workspace: Workspace, options: Sequence[str]) -> list[ExperimentRow]:
    """What ``acts experiment``, a program of its own, says of the model; no row where nothing was due.

    Raises:
        MachineryError: it ended without an answer, or an experiment broke.
    """
    command = [sys.executable, "-m", "ci.main", "experiment", model, "--repo", str(workspace.repo), "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        told, _ = process.communicate()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    try:
        rows = [ExperimentRow.model_validate(row) for row in json.loads(told)["experiments"]]
    except (ValueError, KeyError, TypeError) as error:
        words = f"acts experiment {model} ended with exit code {process.returncode}, without an answer: see the log."
        raise MachineryError(words) from error
    if process.returncode == BROKEN:
        raise MachineryError("; ".join(words for row in rows for words in row.words) or f"{model}: something broke")
    return rows


def experiment_result(key: dg.AssetKey, rows: Sequence[ExperimentRow]) -> dg.MaterializeResult[Any]:
    """Words, the rows, and a check that warns where nothing could be proposed."""
    findings = [_finding(row) for row in rows]
    return dg.MaterializeResult(
        metadata={
            "words": dg.MetadataValue.md("\n".join(f"- {sentence(row)}" for row in rows) or "Nothing was due."),
            "experiments": dg.MetadataValue.json([row.model_dump(mode="json") for row in rows]),
        },
        check_results=[check_result(ENDING, findings, key, description="Nothing was due.")],
    )


def sentence(row: ExperimentRow) -> str:
    """One experiment for people."""
    return " ".join((f"{row.ending} ({'; '.join(row.reasons)}).", *row.words, *([row.pull] if row.pull else [])))


def _finding(row: ExperimentRow) -> Finding:
    outcome = Outcome.PASSED if row.ending in PROPOSED else Outcome.WARNED
    return Finding(name=row.ending, source="monitoring", outcome=outcome, summary=sentence(row))
