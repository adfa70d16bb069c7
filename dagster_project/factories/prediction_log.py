"""The prediction log as a Dagster asset, and a schedule that keeps it fresh, off until somebody turns it on."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from dagster_project.domain.prediction import Ingested
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.naming import owner

KEY = dg.AssetKey(["prediction_log"])
GROUP = "serving"


def prediction_log_asset(specs: Sequence[ModelSpec], workspace: Workspace) -> dg.AssetsDefinition:
    """Every champion's answers, and labels that servers were sent, taken from segments; nothing comes in twice."""

    @dg.asset(
        key=KEY,
        deps=[[spec.name, "deployment"] for spec in specs],
        description="Every row that champions answered: id, answer, digest, latency, and inputs where sampled.",
        owners=sorted({owner(name) for spec in specs for name in spec.owners}),
        group_name=GROUP,
        kinds={"deltalake"},
    )
    def prediction_log(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        from dagster_project.monitoring.ingest import ingest

        done = ingest(workspace.serving_log, workspace.warehouse)
        context.log.info(sentence(done))
        return dg.MaterializeResult(metadata=ingestion_metadata(done, workspace))

    return prediction_log


def ingestion_schedule() -> dg.ScheduleDefinition:
    """Each minute."""
    return dg.ScheduleDefinition(
        name="prediction_log_ingested",
        target=dg.AssetSelection.assets(KEY),
        cron_schedule="* * * * *",
        description="Takes what servers logged into the table, as `acts ingest` does.",
    )


def ingested_event(done: Ingested, workspace: Workspace) -> dg.AssetMaterialization:
    """What ``acts ingest`` took in, outside of Dagster's runs."""
    return dg.AssetMaterialization(KEY, description=sentence(done), metadata=ingestion_metadata(done, workspace))


def sentence(done: Ingested) -> str:
    """The ingestion for people."""
    dropped = f", {done.dropped:,} dropped by servers" if done.dropped else ""
    broken = f", {done.broken:,} damaged places skipped ({done.broken_bytes:,} bytes)" if done.broken else ""
    labels = f" and {done.labels:,} labels" if done.labels else ""
    return f"{done.rows:,} rows{labels} from {done.segments:,} segments{dropped}{broken}"


def ingestion_metadata(done: Ingested, workspace: Workspace) -> dict[str, Any]:
    """Metadata of one ingestion."""
    from dagster_project.monitoring.log_table import table_uri

    return {**done.model_dump(exclude={"schema_version"}), "dagster/uri": table_uri(workspace.warehouse)}
