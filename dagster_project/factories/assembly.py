"""A repository's declarations as one set of Dagster definitions: assets, checks, jobs, and what they run with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from dagster_project.domain.repository import Repository
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.console import console
from dagster_project.factories.datasets import VALUES, dataset_asset
from dagster_project.factories.experiments import experiment_asset, experiment_check, experiment_job, experiment_sensor
from dagster_project.factories.models import candidate_key, model_assets
from dagster_project.factories.monitoring import monitoring_assets, monitoring_schedules
from dagster_project.factories.naming import build_job
from dagster_project.factories.prediction_log import ingestion_schedule, prediction_log_asset
from dagster_project.factories.reaping import reaping_sensors
from dagster_project.factories.sensors import landing_sensor, reads_files
from dagster_project.factories.values import DocumentIOManager
from dagster_project.factories.verdicts import VERDICT, judged_key, verdict_check

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

PATIENCE_SECONDS = 30.0


def definitions_for(repository: Repository, workspace: Workspace, documents: DocumentIOManager) -> dg.Definitions:
    """Everything that Dagster shows and runs. Steps run in one process: Ray gives the parallelism."""
    subjects = [("dataset", name) for name in repository.contracts] + [("model", name) for name in repository.specs]
    return dg.Definitions(
        assets=[*_datasets(repository, workspace), *_models(repository, workspace), *_log(repository, workspace)],
        asset_checks=[
            *(verdict_check(kind, name, workspace) for kind, name in subjects),
            *(experiment_check(spec, workspace) for spec in repository.specs.values()),
        ],
        jobs=[
            *(_job(kind, name, subjects) for kind, name in subjects),
            *(experiment_job(spec, workspace) for spec in repository.specs.values()),
        ],
        schedules=_schedules(repository),
        sensors=[
            *_landing(repository, workspace),
            *_experimenting(repository, workspace),
            *reaping_sensors(workspace),
        ],
        resources={
            VALUES: documents,
            "training_program": dg.PipesSubprocessClient(termination_timeout_seconds=PATIENCE_SECONDS),
        },
        loggers={"console": console},
        executor=dg.in_process_executor,
    )


def target_key(kind: str, name: str) -> dg.AssetKey:
    """The asset that a build ends with."""
    return candidate_key(name) if kind == "model" else dg.AssetKey([name])


def _datasets(repository: Repository, workspace: Workspace) -> list[dg.AssetsDefinition]:
    return [dataset_asset(contract, workspace) for contract in repository.contracts.values()]


def _models(repository: Repository, workspace: Workspace) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    found: list[dg.AssetsDefinition | dg.AssetSpec] = []
    for name, spec in repository.specs.items():
        contract, lock = repository.contracts[spec.contract.name], repository.locks.get(name)
        found += model_assets(spec, contract, lock, workspace)
        found += monitoring_assets(spec, contract, lock, workspace)
        found.append(experiment_asset(spec))
    return found


def _landing(repository: Repository, workspace: Workspace) -> list[dg.SensorDefinition]:
    return [landing_sensor(contract, workspace) for contract in repository.contracts.values() if reads_files(contract)]


def _experimenting(repository: Repository, workspace: Workspace) -> list[dg.SensorDefinition]:
    return [
        experiment_sensor(spec, repository.contracts[spec.contract.name], repository.locks.get(name), workspace)
        for name, spec in repository.specs.items()
    ]


def _log(repository: Repository, workspace: Workspace) -> list[dg.AssetsDefinition]:
    """What champions answered; there is none without models."""
    return [prediction_log_asset(tuple(repository.specs.values()), workspace)] if repository.specs else []


def _schedules(repository: Repository) -> list[dg.ScheduleDefinition]:
    ingestion = [ingestion_schedule()] if repository.specs else []
    return [*ingestion, *(each for spec in repository.specs.values() for each in monitoring_schedules(spec))]


def _job(kind: str, name: str, subjects: Sequence[tuple[str, str]]) -> "UnresolvedAssetJobDefinition":
    """The target with everything before it. Verdicts are judge's to give, so no build asks for them."""
    verdicts = (dg.AssetCheckKey(judged_key(*subject), VERDICT) for subject in subjects)
    everything = dg.AssetSelection.assets(target_key(kind, name)).upstream()
    return dg.define_asset_job(
        build_job(kind, name),
        selection=everything - dg.AssetSelection.checks(*verdicts),
        description=f"Build the {kind} {name}, and what it is made from where that has changed.",
    )
