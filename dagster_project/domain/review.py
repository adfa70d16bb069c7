"""What people are asked about a champion's answers, what they did with it, and how far they agree."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from .base import StrictModel
from .verdict import Finding, Outcome

SKIPS = 2
"""A row that so many people skipped is asked no more."""
Action = Literal["label", "skip"]


class ShownColumn(StrictModel):
    """A column beside a row on the page, in the contract's words."""

    name: str
    description: str = ""
    unit: str | None = None
    shape: tuple[int, ...] = Field(default=(), description="of an image or a window, which is drawn")


class ReviewRow(StrictModel):
    """One answer that people are asked about. What the champion answered is not here: it would be copied."""

    row_id: str
    at: datetime = Field(description="when the event was")
    shown: dict[str, Any] = Field(description="logged inputs by column, public ones alone")
    audit: bool = Field(description="drawn at random, whatever its score; the page says nothing of it")
    wanted: int = Field(default=1, ge=1, description="people who shall label it")
    people: tuple[str, ...] = Field(default=(), description="who did when the queue was made")


class PairAgreement(StrictModel):
    """How far two people gave the same labels to the same rows."""

    people: tuple[str, str]
    rows: int
    equal: float = Field(description="share of the rows; for numbers, that are exactly equal")
    kappa: float | None = Field(default=None, description="Cohen 1960; None for numbers, and where chance explains all")
    low: float | None = Field(default=None, description="95 % (Fleiss, Cohen and Everitt 1969)")
    high: float | None = None
    difference: float | None = Field(default=None, description="numbers: mean of the absolute differences")


class Disagreement(StrictModel):
    """A row that people labelled differently: somebody else is asked."""

    row_id: str
    said: dict[str, str] = Field(description="by person")


class Agreement(StrictModel):
    """Over every row that several people labelled."""

    rows: int = 0
    equal: float | None = None
    pairs: tuple[PairAgreement, ...] = ()
    disagreements: tuple[Disagreement, ...] = Field(default=(), description="newest first, the first hundred")
    open: int = Field(default=0, description="rows without a majority")


class ReviewQueue(StrictModel):
    """The rows that servers show to people, and what became of earlier ones."""

    schema_version: Literal[1] = 1
    model: str
    now: datetime
    question: str
    columns: tuple[ShownColumn, ...]
    rows: tuple[ReviewRow, ...]
    candidates: int = Field(description="answers young enough, with inputs and without a label")
    measure: Literal["margin"] | None = Field(description="of certainty; None: the model says nothing of it")
    labelled: int = Field(default=0, description="rows with a label that people gave")
    audited: int = Field(default=0, description="of those, drawn at random")
    dropped: int = Field(default=0, description=f"rows that {SKIPS} people skipped")
    agreement: Agreement = Agreement()

    def words(self) -> list[str]:
        """What people are asked, and how far they agree, in sentences."""
        audit = sum(row.audit for row in self.rows)
        second = sum(bool(row.people) for row in self.rows)
        asked = f"{len(self.rows)} rows are asked about, {audit} of them drawn at random"
        found = [f"{asked}, {second} of another person." if second else f"{asked}."]
        if self.measure is None:
            found.append("The model's task says nothing of how sure it is, so that all new ones are drawn at random.")
        found.append(f"{self.labelled} rows have a label from people, {self.audited} of them drawn at random.")
        if self.dropped:
            found.append(f"{self.dropped} rows were skipped by {SKIPS} people and are asked no more.")
        return [*found, *map(_agreed, self.agreement.pairs)]

    def findings(self) -> tuple[Finding, ...]:
        """One: whether those who label mean the same. No alarm: few rows say little, and it is people's to judge."""
        both = self.agreement
        if not both.rows:
            summary, outcome = "No row was labelled by two people yet.", Outcome.NOT_APPLICABLE
        else:
            summary, outcome = (
                f"{both.rows} rows have labels of several people, {both.open} without a majority.",
                _sure(both),
            )
        hint = "Talk about the rows they disagree on, and sharpen the question." if outcome is Outcome.WARNED else ""
        return (Finding(name="review_agreement", source="monitoring", outcome=outcome, summary=summary, hint=hint),)


def _agreed(pair: PairAgreement) -> str:
    first, second = pair.people
    text = f"{first} and {second}: {pair.rows} rows, {100 * pair.equal:.0f} % equal"
    if pair.kappa is not None:
        bounds = f" ({pair.low:.2f} to {pair.high:.2f})" if pair.low is not None and pair.high is not None else ""
        text += f", kappa {pair.kappa:.2f}{bounds}"
    return text + (f", on average {pair.difference:.3g} apart." if pair.difference is not None else ".")


def _sure(both: Agreement) -> Outcome:
    """Warned where a pair does certainly no better than "fair" (Landis and Koch 1977)."""
    poor = any(pair.high is not None and pair.high < 0.4 for pair in both.pairs)
    return Outcome.WARNED if poor else Outcome.PASSED
