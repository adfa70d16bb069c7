"""What a champion looks at in production, against what it looked at when it was judged, and its worst errors."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from .base import StrictModel
from .verdict import Finding, Outcome

MOVED = 0.05
"""Share of all attributions that a column has to gain or lose; less changes nobody's mind."""
SURE = 3.0
"""Standard errors that it has to be beyond."""


class ColumnShare(StrictModel):
    """One column's share in the mean absolute attributions, when judged and now, each with its standard error."""

    name: str
    judged: float
    judged_error: float
    now: float
    now_error: float

    @property
    def moved(self) -> bool:
        """Whether it changed by more than chance and by enough to matter."""
        gap = abs(self.now - self.judged)
        return gap > MOVED and gap > SURE * (self.judged_error**2 + self.now_error**2) ** 0.5


class Contribution(StrictModel):
    """What one column's value added to one answer."""

    column: str
    value: str
    added: float


class ExplainedError(StrictModel):
    """An answer that was far from what happened, and what led there."""

    row_id: str
    said: str
    truth: str
    loss: float
    base: float = Field(description="the mean answer, from which the contributions lead to this one")
    contributions: tuple[Contribution, ...]


class ExplanationReport(StrictModel):
    """The newest whole window, explained on a sample of its answers."""

    schema_version: Literal[1] = 1
    model: str
    now: datetime
    begin: date
    end: date = Field(description="first day behind the window")
    rows: int = Field(description="answers that were explained")
    judged_rows: int = 0
    explained: str = Field(default="", description="what the attributions add up to")
    columns: tuple[ColumnShare, ...] = Field(default=(), description="the largest first")
    errors: tuple[ExplainedError, ...] = Field(default=(), description="the worst of the newest matured answers")
    skipped: str = Field(default="", description="why nothing was explained")

    @property
    def moved(self) -> tuple[ColumnShare, ...]:
        """Columns that the champion leans on more, or less, than it did."""
        return tuple(sorted((c for c in self.columns if c.moved), key=lambda c: -abs(c.now - c.judged)))

    def ledger_row(self) -> dict[str, Any]:
        """The row of the ledger ``explanations``."""
        summary = "; ".join(found.summary for found in self.findings() if found.outcome is Outcome.WARNED)
        return {**self.model_dump(mode="json"), "alarm": bool(self.moved), "summary": summary}

    def words(self) -> list[str]:
        """It in sentences."""
        when = f"{self.begin} to before {self.end}"
        if self.skipped:
            return [f"{when}: {self.skipped}"]
        largest = ", ".join(f"{each.name} {each.now:.0%}" for each in self.columns[:5])
        found = [f"{self.rows:,} answers from {when} lean most on {largest}."]
        found += [f"  {each.name}: {each.now:.0%}, {each.judged:.0%} when it was judged." for each in self.moved]
        return [*found, *(_told(error) for error in self.errors[:3])]

    def findings(self) -> tuple[Finding, ...]:
        """One: whether it still looks at what it looked at."""
        if not self.columns:
            return (_finding(Outcome.NOT_APPLICABLE, self.skipped or "Nothing was explained."),)
        if not self.moved:
            return (
                _finding(Outcome.PASSED, f"It leans on the columns that it leant on when judged ({self.rows:,} rows)."),
            )
        named = "; ".join(f"{each.name} {each.judged:.0%} to {each.now:.0%}" for each in self.moved[:6])
        return (_finding(Outcome.WARNED, f"It leans on other columns than when it was judged: {named}."),)


def _told(error: ExplainedError) -> str:
    because = ", ".join(f"{each.column} {each.value} ({each.added:+.2f})" for each in error.contributions[:3])
    return f"  Wrong: said {error.said}, was {error.truth}, because of {because} ({error.row_id})."


def _finding(outcome: Outcome, summary: str) -> Finding:
    hint = "See what drifted in them, and whether that is right." if outcome is Outcome.WARNED else ""
    return Finding(name="explanation", source="monitoring", outcome=outcome, summary=summary, hint=hint)
