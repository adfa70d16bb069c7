"""What happened outside of Dagster's runs, told to it as asset events: verdicts, promotions, deployments."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.origin import Origin
from dagster_project.domain.verdict import Comparison, Measurement, Verdict
from dagster_project.factories.checks import evaluation, finding_metadata, table
from dagster_project.factories.verdicts import judged_key, verdict_result

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.AssetObservation


def verdict_events(verdict: Verdict, report: Path | None) -> list[Event]:
    """A verdict as the evaluation's materialisation (a dataset: as an observation) and the check's answer.

    A broken verdict is recorded as what happened, without an answer of the check: it has neither passed nor failed.
    """
    key = judged_key(verdict.subject.kind, verdict.subject.name)
    event = dg.AssetMaterialization if verdict.subject.kind == "model" else dg.AssetObservation
    found: list[Event] = [event(asset_key=key, description=_headline(verdict), metadata=_facts(verdict, report))]
    if verdict.outcome != "broken":
        found.append(evaluation(verdict_result(verdict), verdict.findings))
    return found


def lock_event(lock: ChampionLock, stage: str) -> dg.AssetMaterialization:
    """A champion that was promoted, or deployed."""
    metrics = ((name, f"{m.value:.5g}", f"{m.low:.5g} to {m.high:.5g}") for name, m in sorted(lock.metrics.items()))
    return dg.AssetMaterialization(
        asset_key=dg.AssetKey([lock.model, stage]),
        description=f"{lock.family}, {lock.onnx[:19]}",
        metadata={
            **lock.model_dump(mode="json", exclude={"metrics", "parameters", "schema_version"}, exclude_none=True),
            "parameters": dg.MetadataValue.md(table(("parameter", "value"), lock.parameters.items())),
            "metrics": dg.MetadataValue.md(table(("metric", "on validation rows", "interval"), metrics)),
        },
    )


def marked(event: Event, origin: Origin) -> Event:
    """The event with the commit and pull request it belongs to: as metadata, and as tags where Dagster has them."""
    metadata: dict[str, Any] = {**event.metadata, **origin.tags}
    if isinstance(event, dg.AssetCheckEvaluation):
        return event.with_metadata(metadata)
    kind = type(event)
    return kind(asset_key=event.asset_key, description=event.description, metadata=metadata, tags=origin.tags)


def report_events(instance: dg.DagsterInstance, events: Sequence[Event]) -> None:
    """Write the events to the instance; they belong to no run."""
    for event in events:
        instance.report_runless_asset_event(event)


def _headline(verdict: Verdict) -> str:
    may = "may be promoted" if verdict.promotable else "not promotable"
    return f"{verdict.outcome}, {may}" + (f": {'; '.join(verdict.reasons)}" if verdict.reasons else "")


def _facts(verdict: Verdict, report: Path | None) -> dict[str, Any]:
    known = {
        "bundle": verdict.challenger,
        "onnx": verdict.challenger_onnx,
        "champion": verdict.champion,
        "snapshot": verdict.snapshot,
        "base": verdict.base,
        "head": verdict.head,
    }
    return {
        "outcome": verdict.outcome,
        "promotable": verdict.promotable,
        **{name: value for name, value in known.items() if value},
        **finding_metadata(verdict.findings),
        **({"measurements": dg.MetadataValue.md(_measured(verdict.measurements))} if verdict.measurements else {}),
        **({"comparisons": dg.MetadataValue.md(_compared(verdict.comparisons))} if verdict.comparisons else {}),
        **({"report": dg.MetadataValue.path(str(report))} if report else {}),
    }


def _measured(measurements: Sequence[Measurement]) -> str:
    whole = (m for m in measurements if m.slice is None)
    rows = ((m.metric, m.rows, f"{m.value:.5g}", _interval(m), f"{m.count:,}") for m in whole)
    return table(("metric", "rows", "value", "interval", "count"), rows)


def _interval(m: Measurement) -> str:
    return "" if m.low is None or m.high is None else f"{m.low:.5g} to {m.high:.5g}"


def _compared(comparisons: Sequence[Comparison]) -> str:
    rows = ((c.metric, c.rows, f"{c.gain:+.3g}", f"{c.standard_error:.2g}", c.method) for c in comparisons)
    return table(("metric", "rows", "challenger minus champion", "standard error", "method"), rows)
