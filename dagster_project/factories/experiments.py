"""Experiments in Dagster: a sensor that asks whether one is due, a job that starts it, and what was reported of it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from dagster_project.domain.contract import DataContract
from dagster_project.domain.errors import BROKEN, MachineryError
from dagster_project.domain.experimenting import LEDGER, ExperimentRow
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.checks import check_result, evaluation
from dagster_project.factories.monitoring import part_key
from dagster_project.factories.naming import identifier, owner
from dagster_project.factories.record import Event
from dagster_project.storage.ledger import Ledger

STAGE, ENDING = "experiment", "ending"
SECONDS = 600
KIND, NAME = "acts/kind", "acts/name"
GOING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
GOING += [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
PROPOSED = ("opened", "updated", "unchanged")


def experiment_asset(spec: ModelSpec) -> dg.AssetSpec:
    """What ``acts experiment`` reports, whoever started it."""
    return dg.AssetSpec(
        experiment_key(spec.name),
        deps=[part_key(spec.name, "labels"), part_key(spec.name, "performance"), part_key(spec.name, "drift")],
        description="A challenger that the system proposes by itself, as a pull request where it passes its gates.",
        owners=[owner(name) for name in spec.owners],
        group_name=spec.name,
    )


def experiment_check(spec: ModelSpec, workspace: Workspace) -> dg.AssetChecksDefinition:
    """A check that reads how the last experiment ended; it starts none."""
    key = experiment_key(spec.name)

    @dg.asset_check(asset=key, name=ENDING, description="Whether the last experiment was proposed.")
    def ending() -> dg.AssetCheckResult:
        rows = [row for row in Ledger(workspace.ledger, LEDGER).rows() if row["model"] == spec.name]
        last = [_finding(ExperimentRow.of(row)) for row in rows[-1:]]
        return check_result(ENDING, last, key, description="There was none yet.")

    return ending


def experiment_job(spec: ModelSpec, workspace: Workspace) -> dg.JobDefinition:
    """Starts ``acts experiment``: started by hand it waits for no cause, by the sensor it asks once more."""

    @dg.op(name=f"{identifier(spec.name)}__experiment", description="acts experiment, a program of its own.")
    def start(context: dg.OpExecutionContext) -> None:
        asked = context.run.tags.get(KIND) == STAGE
        for row in run_experiment(spec.name, workspace, () if asked else ("--cause", "manual")):
            context.log.info(sentence(row))

    @dg.job(name=experiment_job_name(spec.name), description=f"An experiment of {spec.name}.")
    def job() -> None:
        start()

    return job


def experiment_sensor(
    spec: ModelSpec, contract: DataContract, lock: ChampionLock | None, workspace: Workspace
) -> dg.SensorDefinition:
    """Asks what ``acts experiment`` asks; running where the spec's switch is on."""
    tags = {KIND: STAGE, NAME: spec.name}

    @dg.sensor(
        name=f"{identifier(spec.name)}_experiment_due",
        job_name=experiment_job_name(spec.name),
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


def experiment_job_name(model: str) -> str:
    """The job that starts an experiment."""
    return f"{identifier(model)}_experiment"


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


def experiment_events(row: ExperimentRow) -> list[Event]:
    """Its materialisation, and a check that warns where nothing could be proposed; a broken one has no answer."""
    key = experiment_key(row.model)
    found: list[Event] = [
        dg.AssetMaterialization(
            key,
            description=sentence(row),
            metadata={
                "ending": row.ending,
                "now": row.now.isoformat(),
                "words": dg.MetadataValue.md("\n".join(f"- {line}" for line in (*row.reasons, *row.words))),
                "experiment": dg.MetadataValue.json(row.model_dump(mode="json")),
            },
        )
    ]
    if row.ending != "broken":
        finding = _finding(row)
        found.append(evaluation(check_result(ENDING, [finding], key), [finding]))
    return found


def sentence(row: ExperimentRow) -> str:
    """One experiment for people."""
    return " ".join((f"{row.ending} ({'; '.join(row.reasons)}).", *row.words, *([row.pull] if row.pull else [])))


def _finding(row: ExperimentRow) -> Finding:
    outcome = Outcome.BROKEN if row.ending == "broken" else Outcome.WARNED
    outcome = Outcome.PASSED if row.ending in PROPOSED else outcome
    return Finding(name=row.ending, source="monitoring", outcome=outcome, summary=sentence(row))
