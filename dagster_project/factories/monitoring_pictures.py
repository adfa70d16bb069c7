"""Plots of what monitoring found, for asset metadata: one that is looked at first, and what is behind it."""

from collections.abc import Callable
from typing import Any

from dagster_project.domain.drift import DriftReport
from dagster_project.domain.explanation import ExplanationReport
from dagster_project.domain.monitored import Monitored, PartName
from dagster_project.domain.performance import PerformanceReport, Window
from dagster_project.domain.reconciliation import Reconciliation
from dagster_project.factories.plots import BLUE, GREY, RED, intervals, paired_bars, shares_over_time

METRICS, COLUMNS, DRIFTED = 2, 15, 3
Pictures = dict[str, str]


def pictures(look: Monitored) -> Pictures:
    """Markdown with a picture, by name; empty where a part has nothing to draw."""
    draw = _DRAWN.get(look.part)
    return draw(look.document) if draw else {}


def _coverage(document: dict[str, Any]) -> Pictures:
    days = Reconciliation.model_validate(document).days
    if not days:
        return {}
    lines = {
        "with a label of what happened": [day.natural / day.answers for day in days],
        "or of people": [(day.natural + day.human) / day.answers for day in days],
    }
    return {"coverage": shares_over_time([day.day for day in days], lines, "Answers with a label, by day of the event")}


def _performance(document: dict[str, Any]) -> Pictures:
    report = PerformanceReport.model_validate(document)
    names = list(dict.fromkeys(each.metric for window in report.windows for each in window.metrics))
    bounded = [bound.metric for bound in report.bounds]
    ranked = sorted(names, key=lambda name: name not in bounded)[:METRICS]
    return {f"{name} by window": picture for name in ranked if (picture := _metric(report, name))}


def _metric(report: PerformanceReport, name: str) -> str:
    """Realised values with intervals, a colour a champion; what was expected as a line; bounds dotted."""
    found = [(window, each) for window in report.windows if (each := window.metric(name))]
    realised: dict[str, list[tuple[Any, float, float, float]]] = {}
    for window, each in found:
        if each.value is not None:
            low, high = (each.value if side is None else side for side in (each.low, each.high))
            realised.setdefault(_champion(window, report), []).append((window.begin, each.value, low, high))
    expected = [(window.begin, each.estimate) for window, each in found if each.estimate is not None]
    limits = [side for bound in report.bounds if bound.metric == name for side in (bound.minimum, bound.maximum)]
    if not realised and not expected:
        return ""
    return intervals(realised, expected, [side for side in limits if side is not None], f"{name} by window")


def _champion(window: Window, report: PerformanceReport) -> str:
    return f"{window.onnx[7:15]}{' (now)' if window.onnx == report.champion else ''}"


def _drift(document: dict[str, Any]) -> Pictures:
    report = DriftReport.model_validate(document)
    if not report.columns:
        return {}
    ranked = sorted(report.columns, key=lambda each: -each.score / max(each.threshold, 1e-9))[:COLUMNS]
    colours = [RED if each.drifted else BLUE for each in ranked]
    names = [each.name for each in ranked]
    title = f"{report.begin} to before {report.end}: what is beyond grey has drifted"
    sides = {"usual at most": [each.threshold for each in ranked], "now": [each.score for each in ranked]}
    found = {"drift": paired_bars(names, sides, title, "score", [GREY, colours])}
    for each in report.drifted[:DRIFTED]:
        if each.bins:
            both = {"learned from": list(each.reference), "now": list(each.window)}
            found[f"{each.name}: shares"] = paired_bars(list(each.bins), both, each.name, "share of rows", [GREY, RED])
    return found


def _explanations(document: dict[str, Any]) -> Pictures:
    report = ExplanationReport.model_validate(document)
    if not report.columns:
        return {}
    ranked = report.columns[:COLUMNS]
    both = {"when judged": [each.judged for each in ranked], "now": [each.now for each in ranked]}
    colours = [RED if each.moved else BLUE for each in ranked]
    title = "What answers lean on; what moved is red"
    return {"leans_on": paired_bars([each.name for each in ranked], both, title, "share", [GREY, colours])}


_DRAWN: dict[PartName, Callable[[dict[str, Any]], Pictures]] = {
    "labels": _coverage,
    "performance": _performance,
    "drift": _drift,
    "explanations": _explanations,
}
