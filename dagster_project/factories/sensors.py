"""Files that landed: a sensor for each source of files, off until somebody turns it on."""

import dagster as dg

from dagster_project.domain.base import digest_of
from dagster_project.domain.contract import DataContract
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.naming import build_job
from dagster_project.factories.provenance import origin_of

OF_FILES = ("local", "s3")
SECONDS = 60


def reads_files(contract: DataContract) -> bool:
    """Whether files can land there; a database is read when it is built."""
    return contract.derivation is None and any(server.type in OF_FILES for server in contract.servers)


def landing_sensor(contract: DataContract, workspace: Workspace) -> dg.SensorDefinition:
    """Asks every minute which files lie there, and builds the dataset when they are others than before."""

    @dg.sensor(
        name=f"{contract.name}_landed",
        job_name=build_job("dataset", contract.name),
        minimum_interval_seconds=SECONDS,
        description=f"Builds {contract.name} when files have arrived. Only new ones are read.",
        default_status=dg.DefaultSensorStatus.STOPPED,
    )
    def landed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen = files_seen(contract, workspace)
        if seen == context.cursor:
            return dg.SensorResult(skip_reason="no other files than before")
        tags = {"acts/kind": "dataset", "acts/name": contract.name, **origin_of(workspace).tags}
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=seen, tags=tags)], cursor=seen)

    return landed


def files_seen(contract: DataContract, workspace: Workspace) -> str:
    """Digest of the files' names, sizes and marks; none of them is read.

    Raises:
        UserFileError: nothing lies where the contract says.
    """
    from dagster_project.data.sources.choose import chosen_server, open_source

    parts = open_source(contract, chosen_server(contract, workspace), workspace).parts
    return digest_of([[part.mark.path, part.mark.size, part.mark.mark] for part in parts])
