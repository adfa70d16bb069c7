"""Charts as data, made from a verdict's facts."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from dagster_project.domain.bundle import Trial
from dagster_project.domain.facts import Facts
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.verdict import Measurement

from .document import Chart, CountChart, IntervalChart, LineChart, Series, ShareChart

IMPORTANT = 12


def charts_for(facts: Facts, slices: Sequence[Measurement], whole: Sequence[Measurement]) -> tuple[Chart, ...]:
    """Every chart there is data for, in the order a reviewer asks: how good, how sure, why, how found."""
    made = (roc(facts), residuals(facts), reliability(facts), importances(facts), search(facts))
    return tuple(chart for chart in made if chart) + slice_charts(slices, whole)


def roc(facts: Facts) -> LineChart | None:
    """True positives against false positives, validation rows."""
    if not facts.roc:
        return None
    series = tuple(Series(curve.name, curve.points) for curve in facts.roc)
    return LineChart("ROC, validation rows", "false positive rate", "true positive rate", series, unit=True)


def reliability(facts: Facts) -> LineChart | None:
    """Predicted probability against what happened, validation rows."""
    points = sorted((b.predicted, b.observed) for b in facts.reliability if b.count)
    if not points:
        return None
    series = (Series("challenger", tuple(points)),)
    return LineChart("Calibration, validation rows", "predicted probability", "observed share", series, unit=True)


def residuals(facts: Facts) -> CountChart | None:
    """Distribution of label minus prediction, validation rows."""
    if facts.residuals is None or not facts.residuals.counts:
        return None
    return CountChart(
        "Residuals, validation rows", "label minus prediction", facts.residuals.edges, facts.residuals.counts
    )


def importances(facts: Facts) -> ShareChart | None:
    """The largest shares, the champion's beside them."""
    if facts.importances is None or not facts.importances.challenger:
        return None
    ranked = sorted(facts.importances.challenger.items(), key=lambda item: (-item[1], item[0]))[:IMPORTANT]
    labels = tuple(name for name, _ in ranked)
    champion = facts.importances.champion
    others = tuple(champion.get(name, 0.0) for name in labels) if champion else ()
    return ShareChart("Importance of each column", labels, tuple(value for _, value in ranked), others)


def search(facts: Facts) -> LineChart | None:
    """Every trial's value and the best so far, in the order of the trials, over the baselines."""
    valued = [(t, t.value) for t in sorted(facts.trials, key=lambda t: t.number) if t.value is not None]
    done = [(float(trial.number), value) for trial, value in valued if not trial.is_baseline]
    if not done or facts.search_metric is None:
        return None
    better = max if METRICS[facts.search_metric].greater_is_better else min
    dots, best = Series("trial", tuple(done), "dots"), Series("best so far", _running(done, better), "step")
    ends = (done[0][0], done[-1][0])
    flat = tuple(
        Series(trial.title, tuple((end, value) for end in ends)) for trial, value in valued if trial.is_baseline
    )
    lines = (best, dots, *flat)
    return LineChart("Course of the search", "trial", facts.search_metric, lines, note=_failed(facts.searched))


def _running(
    points: list[tuple[float, float]], better: Callable[[float, float], float]
) -> tuple[tuple[float, float], ...]:
    held, so_far = [], points[0][1]
    for x, y in points:
        so_far = better(so_far, y)
        held.append((x, so_far))
    return tuple(held)


def _failed(trials: Sequence[Trial]) -> str:
    failed = sum(trial.status == "failed" for trial in trials)
    return f"{failed} of {len(trials)} trials failed and have no point." if failed else ""


def slice_charts(slices: Sequence[Measurement], whole: Sequence[Measurement]) -> tuple[IntervalChart, ...]:
    """One chart a metric: slices with intervals, the whole's value as the reference."""
    reference = {m.metric: m.value for m in whole if m.slice is None and m.rows == "validation"}
    charts = []
    for metric in dict.fromkeys(m.metric for m in slices):
        rows = tuple(
            (str(m.slice), m.value, m.low, m.high)
            for m in slices
            if m.metric == metric and m.low is not None and m.high is not None
        )[:24]
        note = "Dashed: all validation rows." if metric in reference else ""
        if rows:
            charts.append(IntervalChart(f"{metric} by slice, validation rows", rows, reference.get(metric), note))
    return tuple(charts)


def at(points: Sequence[tuple[float, float]], x: float) -> float:
    """Linear interpolation; the ends are held. At a vertical step the upper value counts."""
    if x < points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in reversed(list(pairwise(points))):
        if x0 <= x <= x1:
            return max(y0, y1) if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
