"""How well a champion did on windows whose labels have come, and how well it is expected to do on the others."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from .base import StrictModel
from .metrics import METRICS
from .monitoring import AlertSeverity, PerformanceBound
from .verdict import Finding, Outcome

MOST_WINDOWS = 120


class WindowMetric(StrictModel):
    """A metric of one window. ``estimate`` is of the same rows as ``value``; where that is None, of all rows."""

    metric: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    estimate: float | None = None
    estimate_low: float | None = None
    estimate_high: float | None = None
    unlabelled: float | None = Field(default=None, description="estimate of the rows without a label")
    before: float | None = Field(default=None, description="what it was before later labels restated it")
    restated: datetime | None = None

    @property
    def gap(self) -> float | None:
        """Realised minus estimated."""
        return None if self.value is None or self.estimate is None else self.value - self.estimate


class Window(StrictModel):
    """Answers of one ONNX file whose events were from ``begin`` to before ``end``."""

    begin: date
    end: date
    onnx: str
    answers: int
    labelled: int = Field(description="with a label of what happened")
    matured: bool
    newest: datetime | None = Field(default=None, description="when the last of its labels was written down")
    metrics: tuple[WindowMetric, ...] = Field(default=(), description="none where there are too few rows")

    def metric(self, name: str) -> WindowMetric | None:
        """One of them."""
        return next((each for each in self.metrics if each.metric == name), None)


class Part(StrictModel):
    """A metric on a slice of the newest matured window, or on labels of one origin in those looked at."""

    name: str
    metric: str
    value: float
    low: float | None
    high: float | None
    rows: int


class PerformanceReport(StrictModel):
    """Every window that is known, oldest first, and what the bounds say of the newest matured one."""

    schema_version: Literal[1] = 1
    model: str
    now: datetime
    champion: str = Field(description="digest of the ONNX file that is deployed")
    windows: tuple[Window, ...] = ()
    slices: tuple[Part, ...] = ()
    origins: tuple[Part, ...] = Field(default=(), description="by whose labels they are")
    bounds: tuple[PerformanceBound, ...] = ()
    severity: AlertSeverity = "error"

    @property
    def newest(self) -> Window | None:
        """The newest matured window of the champion that has metrics."""
        own = (each for each in reversed(self.windows) if each.onnx == self.champion and each.matured)
        return next((each for each in own if each.metrics), None)

    def ledger_row(self) -> dict[str, Any]:
        """The row of the ledger ``performance``."""
        crossed = [found.summary for found in self._crossed()]
        return {**self.model_dump(mode="json"), "alarm": bool(crossed), "summary": "; ".join(crossed)}

    def words(self) -> list[str]:
        """It in sentences."""
        newest, last = self.newest, self.windows[-1] if self.windows else None
        if newest is None:
            found = ["No window of this champion has enough labels yet."]
        else:
            found = [f"{_days(newest)}, {newest.labelled:,} of {newest.answers:,} answers labelled:"]
            found += [_words(each) for each in newest.metrics if each.value is not None]
        if last is not None and not last.matured and last.metrics:
            expected = "; ".join(f"{e.metric} {e.estimate:.4f}" for e in last.metrics if e.estimate is not None)
            found += [f"{_days(last)}, not labelled yet, is expected to have {expected}."] if expected else []
        return [*found, *(text for window in self.windows for text in self._restated(window))]

    def findings(self) -> tuple[Finding, ...]:
        """Bounds that are crossed or held, and how far estimates miss what happened."""
        bounds = tuple(self._bound(bound) for bound in self.bounds)
        return (*bounds, self._estimates())

    def _crossed(self) -> Iterator[Finding]:
        bad = (Outcome.FAILED, Outcome.WARNED)
        yield from (found for bound in self.bounds if (found := self._bound(bound)).outcome in bad)

    def _bound(self, bound: PerformanceBound) -> Finding:
        newest = self.newest
        metric = newest.metric(bound.metric) if newest else None
        name = f"{bound.metric}_bound"
        if newest is None or metric is None or metric.value is None:
            return _finding(name, Outcome.NOT_APPLICABLE, "No matured window of this champion has enough labels.")
        low, high = (metric.value if side is None else side for side in (metric.low, metric.high))
        below = bound.minimum is not None and high < bound.minimum
        above = bound.maximum is not None and low > bound.maximum
        wanted = " and ".join(
            f"{word} {value:g}"
            for word, value in (("at least", bound.minimum), ("at most", bound.maximum))
            if value is not None
        )
        summary = (
            f"{bound.metric} {metric.value:.4f} ({low:.4f} to {high:.4f}) from {_days(newest)}, {wanted} is asked."
        )
        if not (below or above):
            return _finding(name, Outcome.PASSED, summary)
        outcome = Outcome.FAILED if self.severity == "error" else Outcome.WARNED
        return _finding(name, outcome, summary, "Look at drift and slices; acts experiment builds a challenger.")

    def _estimates(self) -> Finding:
        gaps = [(window, each) for window in self.windows for each in window.metrics if each.gap is not None]
        if not gaps:
            return _finding("estimate_gap", Outcome.NOT_APPLICABLE, "Nothing was estimated and labelled yet.")
        outside = [(w, e) for w, e in gaps if _apart(e)]
        worst = max(gaps, key=lambda pair: abs(pair[1].gap or 0.0))
        words = f"{worst[1].metric} {worst[1].gap:+.4f} from {_days(worst[0])}"
        summary = f"{len(outside)} of {len(gaps)} estimates and realised values are apart; at most {words}."
        outcome = Outcome.WARNED if 5 * len(outside) > len(gaps) else Outcome.PASSED
        hint = "What inputs mean for the label has changed: estimates don't hold." if outcome is Outcome.WARNED else ""
        return _finding("estimate_gap", outcome, summary, hint)

    def _restated(self, window: Window) -> Iterator[str]:
        for each in window.metrics:
            if each.restated == self.now and each.before is not None and each.value is not None:
                yield f"{_days(window)}: {each.metric} {each.value:.4f}; {each.before:.4f} before later labels came."


def _apart(each: WindowMetric) -> bool:
    """Whether not even the ends of both intervals meet."""
    if each.low is None or each.high is None or each.estimate_low is None or each.estimate_high is None:
        return False
    return each.high < each.estimate_low or each.low > each.estimate_high


def _words(each: WindowMetric) -> str:
    better = "higher" if METRICS[each.metric].greater_is_better else "lower"
    text = f"  {each.metric} {each.value:.4f}"
    text += f" ({each.low:.4f} to {each.high:.4f}" if each.low is not None else " ("
    text += f"; {better} is better"
    return text + (f"; {each.estimate:.4f} was expected)" if each.estimate is not None else ")")


def _days(window: Window) -> str:
    return f"{window.begin} to before {window.end}"


def _finding(name: str, outcome: Outcome, summary: str, hint: str = "") -> Finding:
    return Finding(name=name, source="monitoring", outcome=outcome, summary=summary, hint=hint)
