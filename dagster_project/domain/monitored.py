"""What a look at a deployed model found, whichever part looked: for the terminal, Dagster and ``--json`` alike."""

from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import Field

from .base import StrictModel
from .verdict import Finding, Outcome

PartName = Literal["labels", "performance", "drift", "explanations", "review"]
PARTS: tuple[PartName, ...] = get_args(PartName)
"""In the order in which one stands on the other."""


class Monitored(StrictModel):
    """One part's document, in words and as findings that become asset checks."""

    model: str
    part: PartName
    now: datetime
    words: tuple[str, ...] = Field(description="sentences for people")
    findings: tuple[Finding, ...] = Field(default=(), description="each an asset check's answer")
    document: dict[str, Any] = Field(description="what the part wrote, whole")

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """What somebody has to look at."""
        return tuple(found for found in self.findings if found.outcome in (Outcome.FAILED, Outcome.WARNED))


class MonitoredParts(StrictModel):
    """What one call of ``acts monitor`` found."""

    schema_version: Literal[1] = 1
    looks: tuple[Monitored, ...] = ()
