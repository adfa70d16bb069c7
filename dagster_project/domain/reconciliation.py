"""How much of the truth of a champion's answers is known, and what came in of it."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from .base import StrictModel
from .verdict import Finding, Outcome

MOST_LISTED = 100


class DayCoverage(StrictModel):
    """Answers of one day of events, and how many of them have a label of what happened, or of people alone."""

    day: date
    answers: int
    natural: int = 0
    human: int = 0
    matured: bool


class ScoreDecile(StrictModel):
    """A tenth of the matured answers, in the order of their score."""

    low: float
    high: float
    answers: int
    unlabelled: float = Field(description="share without a label of what happened")


class Conflict(StrictModel):
    """A row of which two sources, or one twice, say different things at the same time."""

    row_id: str
    said: tuple[str, ...] = Field(description="source: label")


class Reconciliation(StrictModel):
    """What one reconciliation took in, and what is known since ``since``."""

    schema_version: Literal[1] = 1
    model: str
    now: datetime
    answers: int = Field(description="that came in from the log")
    labels: int = Field(description="that were received, however often")
    joined: int = Field(description="of them, new outcomes of answers")
    waiting: int = Field(description="labels whose answer is not there")
    since: date = Field(description="first day of events that the rest is of")
    days: tuple[DayCoverage, ...] = ()
    duplicates: int = Field(default=0, description="labels that say of an answer what another said")
    corrected: int = Field(default=0, description="answers whose label changed later")
    conflicts: int = Field(default=0, description="answers of which different things are said at the same time")
    conflicting: tuple[Conflict, ...] = Field(default=(), description="the first hundred")
    delay_p50: float | None = Field(default=None, description="hours from the event to its label")
    delay_p95: float | None = None
    deciles: tuple[ScoreDecile, ...] = Field(default=(), description="of matured answers, by score")
    unjoinable: str = Field(default="", description="why labels of the contract can't be joined")

    @property
    def matured(self) -> tuple[int, int]:
        """(answers of matured days, those that have a label of what happened)."""
        known = [day for day in self.days if day.matured]
        return sum(day.answers for day in known), sum(day.natural for day in known)

    def ledger_row(self) -> dict[str, Any]:
        """The row of the ledger ``coverage``."""
        row = self.model_dump(mode="json", exclude={"conflicting"})
        bad = [found.summary for found in self.findings() if found.outcome is Outcome.WARNED]
        return {**row, "alarm": bool(bad), "summary": "; ".join(bad)}

    def words(self) -> list[str]:
        """It in sentences."""
        found = [f"{self.answers:,} answers and {self.labels:,} labels came in; {self.joined:,} outcomes are new."]
        rows, natural = self.matured
        if rows:
            share = f"{100 * natural / rows:.1f} %"
            found.append(f"Of {rows:,} answers old enough to be labelled, since {self.since}, {share} are.")
        people = sum(day.human for day in self.days)
        if people:
            found.append(f"{people:,} more have a label of people alone.")
        if self.delay_p50 is not None and self.delay_p95 is not None:
            found.append(f"Half of the labels came within {_hours(self.delay_p50)}, 95 % in {_hours(self.delay_p95)}.")
        if self.duplicates or self.corrected:
            found.append(f"{self.duplicates:,} labels say what others said; {self.corrected:,} answers were corrected.")
        if self.waiting:
            found.append(f"{self.waiting:,} labels are of no answer that is known.")
        return found

    def findings(self) -> tuple[Finding, ...]:
        """Coverage, selection by score, and what contradicts itself."""
        return (self._coverage(), self._selection(), self._conflicts())

    def _coverage(self) -> Finding:
        rows, natural = self.matured
        if self.unjoinable:
            return _finding("label_coverage", Outcome.WARNED, self.unjoinable)
        if not rows:
            return _finding("label_coverage", Outcome.NOT_APPLICABLE, "No answer is old enough to be labelled.")
        outcome = Outcome.PASSED if natural else Outcome.WARNED
        hint = "" if natural else "Send labels to /v2/models/MODEL/labels, or bring the contract's dataset up to date."
        return _finding("label_coverage", outcome, f"{natural:,} of {rows:,} matured answers have a label.", hint)

    def _selection(self) -> Finding:
        """Metrics are of labelled answers alone: where some scores are labelled less, they are not of all."""
        shares = [decile.unlabelled for decile in self.deciles]
        if len(shares) < 10 or not self.matured[1]:
            return _finding("label_selection", Outcome.NOT_APPLICABLE, "Too few answers are labelled to tell.")
        apart = max(shares) - min(shares)
        summary = f"Between {min(shares):.1%} and {max(shares):.1%} of the answers have no label."
        outcome = Outcome.WARNED if apart > 0.25 else Outcome.PASSED
        hint = "Metrics are of what is labelled, and that leans to some scores." if apart > 0.25 else ""
        return _finding("label_selection", outcome, summary, hint)

    def _conflicts(self) -> Finding:
        if not self.conflicts:
            return _finding("label_conflicts", Outcome.PASSED, "No label contradicts another.")
        rows = ", ".join(conflict.row_id for conflict in self.conflicting[:3])
        summary = f"Of {self.conflicts:,} answers different things are said at the same time: {rows} ..."
        return _finding("label_conflicts", Outcome.WARNED, summary, "Ask the sources which one is right.")


def _finding(name: str, outcome: Outcome, summary: str, hint: str = "") -> Finding:
    return Finding(name=name, source="monitoring", outcome=outcome, summary=summary, hint=hint)


def _hours(hours: float) -> str:
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"
