"""Few numbers of each look, so that Dagster plots them from one materialisation to the next."""

from collections.abc import Callable
from typing import Any

from dagster_project.domain.drift import DriftReport
from dagster_project.domain.explanation import ExplanationReport
from dagster_project.domain.monitored import Monitored, PartName
from dagster_project.domain.performance import PerformanceReport
from dagster_project.domain.reconciliation import Reconciliation
from dagster_project.domain.review import ReviewQueue

Numbers = dict[str, float]


def numbers(look: Monitored) -> Numbers:
    """By name; what a look could not measure is absent."""
    return _NUMBERS[look.part](look.document)


def _labels(document: dict[str, Any]) -> Numbers:
    found = Reconciliation.model_validate(document)
    rows, natural = found.matured
    share = {"labelled": round(natural / rows, 4)} if rows else {}
    delays = {} if found.delay_p95 is None else {"hours_to_label_p95": round(found.delay_p95, 2)}
    return {"answers": found.answers, "labels": found.labels, "waiting": found.waiting, **share, **delays}


def _performance(document: dict[str, Any]) -> Numbers:
    newest = PerformanceReport.model_validate(document).newest
    return {each.metric: round(each.value, 6) for each in newest.metrics if each.value is not None} if newest else {}


def _drift(document: dict[str, Any]) -> Numbers:
    found = DriftReport.model_validate(document)
    return {"drifted": len(found.drifted), "rows": found.compared} if found.columns else {}


def _explanations(document: dict[str, Any]) -> Numbers:
    found = ExplanationReport.model_validate(document)
    return {each.name: round(each.now, 4) for each in found.columns[:10]}


def _review(document: dict[str, Any]) -> Numbers:
    found = ReviewQueue.model_validate(document)
    return {"asked": len(found.rows), "labelled": found.labelled}


_NUMBERS: dict[PartName, Callable[[dict[str, Any]], Numbers]] = {
    "labels": _labels,
    "performance": _performance,
    "drift": _drift,
    "explanations": _explanations,
    "review": _review,
}
