"""The parts of monitoring behind one door: which function looks, and its document in words and findings."""

from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, Protocol

from dagster_project.domain.monitored import Monitored, PartName
from dagster_project.domain.verdict import Finding
from dagster_project.monitoring.champion import lock_of
from dagster_project.monitoring.watched import Watched


class Document(Protocol):
    """What a part writes down."""

    def words(self) -> Sequence[str]:
        """It in sentences."""

    def findings(self) -> Sequence[Finding]:
        """What it asks somebody to look at, or not."""

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """All of it as JSON has it."""


Look = Callable[[Watched, datetime], Document]
_PARTS: dict[PartName, tuple[str, str]] = {
    "labels": ("reconcile", "reconcile"),
    "performance": ("performance", "measure"),
    "drift": ("drift", "look"),
    "explanations": ("explanation", "explain"),
    "review": ("review", "ask"),
}
"""Module and function of each; one is imported when it is done, for each brings libraries of its own."""


def look_at(part: PartName, watched: Watched, now: datetime) -> Monitored:
    """Do one part.

    Raises:
        UsageError: the model has no champion to be watched.
        MachineryError: tables can't be read or written; what was committed stays.
    """
    lock_of(watched)
    document = _look(part)(watched, now)
    return Monitored(
        model=watched.spec.name,
        part=part,
        now=now,
        words=tuple(document.words()),
        findings=tuple(document.findings()),
        document=document.model_dump(mode="json"),
    )


def _look(part: PartName) -> Look:
    module, function = _PARTS[part]
    found: Look = getattr(import_module(f"{__package__}.{module}"), function)
    return found
