"""What watches a deployed model, as Dagster assets with checks, and a schedule for each part that the spec turns on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from dagster_project.domain.contract import DataContract
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.monitored import PARTS, Monitored, PartName
from dagster_project.domain.monitoring import Switched
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.checks import check_result, evaluation
from dagster_project.factories.naming import identifier, owner
from dagster_project.factories.prediction_log import KEY as PREDICTION_LOG
from dagster_project.factories.record import Event

ALARMS = "alarms"
WORDS: dict[PartName, str] = {
    "labels": "What really happened, joined to what the champion answered: each version of each label, once.",
    "performance": "How well the champion does on matured windows, and how well it is expected to do on the others.",
    "drift": "Windows of inputs, answers and labels against the rows that the champion learned from.",
    "explanations": "What the champion looks at in production, against what it looked at when it was judged.",
    "review": "The rows that people are asked about, and how far those who label agree.",
}


def monitoring_assets(
    spec: ModelSpec, contract: DataContract, lock: ChampionLock | None, workspace: Workspace
) -> list[dg.AssetsDefinition]:
    """An asset for each part, from the prediction log and the labels to what people are asked."""
    return [_asset(part, spec, contract, lock, workspace) for part in PARTS]


def monitoring_schedules(spec: ModelSpec) -> list[dg.ScheduleDefinition]:
    """One for each part, running where the spec's switch is on."""
    return [
        dg.ScheduleDefinition(
            name=f"{identifier(spec.name)}_{part}",
            target=dg.AssetSelection.assets(part_key(spec.name, part)),
            cron_schedule=switch(spec, part).schedule,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING
            if switch(spec, part).on
            else dg.DefaultScheduleStatus.STOPPED,
            description=f"monitoring.{part} of {spec.name}.",
        )
        for part in PARTS
    ]


def part_key(model: str, part: PartName) -> dg.AssetKey:
    """The asset of one part."""
    return dg.AssetKey([model, part])


def switch(spec: ModelSpec, part: PartName) -> Switched:
    """The spec's section of one part."""
    found: Switched = getattr(spec.monitoring, part)
    return found


def monitored_events(look: Monitored) -> list[Event]:
    """What ``acts monitor`` found, outside of Dagster's runs: the part's materialisation and its check."""
    key = part_key(look.model, look.part)
    return [
        dg.AssetMaterialization(key, description="; ".join(look.words), metadata=metadata(look)),
        evaluation(check_result(ALARMS, look.findings, key), look.findings),
    ]


def metadata(look: Monitored) -> dict[str, Any]:
    """Words, numbers that Dagster plots over time, pictures, and the whole document."""
    from dagster_project.factories.monitoring_numbers import numbers
    from dagster_project.factories.monitoring_pictures import pictures

    words = "\n".join(f"- {line}" for line in look.words)
    return {
        "now": look.now.isoformat(),
        "words": dg.MetadataValue.md(words),
        **numbers(look),
        **{name: dg.MetadataValue.md(picture) for name, picture in pictures(look).items()},
        "document": dg.MetadataValue.json(look.document),
    }


def _asset(
    part: PartName, spec: ModelSpec, contract: DataContract, lock: ChampionLock | None, workspace: Workspace
) -> dg.AssetsDefinition:
    key = part_key(spec.name, part)

    @dg.asset(
        key=key,
        deps=_deps(part, spec),
        description=WORDS[part],
        owners=[owner(name) for name in spec.owners],
        group_name=spec.name,
        kinds={"deltalake"} if part == "labels" else set(),
        check_specs=[dg.AssetCheckSpec(ALARMS, asset=key, description=f"What {part} asks somebody to look at.")],
    )
    def watched_part(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        from dagster_project.monitoring.parts import look_at
        from dagster_project.monitoring.watched import Watched

        look = look_at(part, Watched(spec, contract, lock, workspace), datetime.now(UTC))
        for line in look.words:
            context.log.info(line)
        found = [check_result(ALARMS, look.findings, key)]
        return dg.MaterializeResult(metadata=metadata(look), check_results=found)

    return watched_part


def _deps(part: PartName, spec: ModelSpec) -> Sequence[dg.AssetKey]:
    if part == "labels":
        return [PREDICTION_LOG, dg.AssetKey([spec.contract.name])]
    before = [part_key(spec.name, "labels")]
    return [*before, dg.AssetKey([spec.name, "split"])] if part == "drift" else before
