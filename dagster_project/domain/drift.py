"""What moved between the rows that a champion learned from and a window of what it is asked about."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from .base import StrictModel
from .monitoring import AlertSeverity, DriftCheck, Season
from .verdict import Finding, Outcome

MOST_NAMED = 6


class ColumnDrift(StrictModel):
    """One column's score against the threshold that its own reference sets."""

    name: str
    check: DriftCheck
    score: float
    threshold: float
    rows: int = Field(description="values in the window")
    reference_rows: int
    what: str = Field(default="", description="what moved, in words; nothing of a restricted column")
    bins: tuple[str, ...] = Field(default=(), description="categories, or ranges of numbers")
    reference: tuple[float, ...] = Field(default=(), description="share of each bin")
    window: tuple[float, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether it is further apart than windows without drift are."""
        return self.score > self.threshold


class DriftReport(StrictModel):
    """The newest whole window against the champion's reference."""

    schema_version: Literal[1] = 1
    model: str
    now: datetime
    begin: date
    end: date = Field(description="first day behind the window")
    rows: int = Field(description="answers of the window whose inputs were logged")
    compared: int = Field(default=0, description="of them, those that were looked at")
    reference: int = Field(default=0, description="rows that the champion learned from, or a sample of them")
    season: tuple[Season, ...] = ()
    checks: tuple[DriftCheck, ...]
    columns: tuple[ColumnDrift, ...] = ()
    unseen: tuple[str, ...] = Field(default=(), description="parts of the season that the reference has nothing of")
    skipped: str = Field(default="", description="why nothing was compared")
    blocks: Literal["days", "rows"] = "rows"
    alarms: float = Field(description="share of windows without drift that may alarm")
    severity: AlertSeverity = "warning"

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """What moved, the farthest beyond its threshold first."""
        moved = (column for column in self.columns if column.drifted)
        return tuple(sorted(moved, key=lambda each: each.threshold / each.score))

    def ledger_row(self) -> dict[str, Any]:
        """The row of the ledger ``drift``."""
        summary = "; ".join(found.summary for found in self.findings() if found.outcome in _ALARMS)
        return {**self.model_dump(mode="json"), "alarm": bool(self.drifted), "summary": summary}

    def words(self) -> list[str]:
        """It in sentences."""
        when = f"{self.begin} to before {self.end}"
        if self.skipped:
            return [f"{when}: {self.skipped}"]
        season = f", in the window's mix of {', '.join(self.season)}" if self.season else ""
        found = [
            f"{self.compared:,} of {self.rows:,} answers from {when} against {self.reference:,} rows that the champion "
            f"learned from{season}: {len(self.drifted)} of {len(self.columns)} columns have drifted."
        ]
        if self.unseen:
            found.append(f"Never seen in training, so compared with nothing: {', '.join(self.unseen)}.")
        return [*found, *(f"  {each.name}: {_scored(each)}. {each.what}".rstrip() for each in self.drifted)]

    def findings(self) -> tuple[Finding, ...]:
        """One a check."""
        return tuple(self._finding(check) for check in self.checks)

    def _finding(self, check: DriftCheck) -> Finding:
        own = [column for column in self.columns if column.check == check]
        moved = [column for column in self.drifted if column.check == check]
        if not own:
            return self._said(check, Outcome.NOT_APPLICABLE, self.skipped or "There was nothing to compare.")
        if not moved:
            return self._said(check, Outcome.PASSED, f"None of {len(own)} columns is apart from the reference.")
        named = "; ".join(f"{each.name} ({_scored(each)})" for each in moved[:MOST_NAMED])
        more = f" and {len(moved) - MOST_NAMED} more" if len(moved) > MOST_NAMED else ""
        summary = f"{named}{more} from {self.begin} to before {self.end}."
        return self._said(check, Outcome.FAILED if self.severity == "error" else Outcome.WARNED, summary)

    def _said(self, check: DriftCheck, outcome: Outcome, summary: str) -> Finding:
        alarm = outcome in _ALARMS
        hint = "See whether labels have moved too; acts experiment builds a challenger on fresh rows." if alarm else ""
        return Finding(name=check, source="monitoring", outcome=outcome, summary=summary, hint=hint)


_ALARMS = (Outcome.WARNED, Outcome.FAILED)


def _scored(each: ColumnDrift) -> str:
    return f"{each.score:.3f} where {each.threshold:.3f} is usual, {each.rows:,} rows"
