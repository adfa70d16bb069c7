"""What the jobs of one run of the workflow ``experiment`` hand on: what is due, and what was said of it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ci.github.outbox import MOST_BLOBS
from dagster_project.domain.base import StrictModel
from dagster_project.domain.experimenting import Due, ExperimentRow
from dagster_project.domain.lease import LeaseEnd

_DIGEST = r"^sha256:[0-9a-f]{64}$"


class Item(StrictModel):
    """A model of which an experiment is due; ``build``: nothing stands in the way of a challenger."""

    model: str
    due: Due
    build: bool = True


class Agenda(StrictModel):
    """All that is due on commit ``base`` at ``now``: every job makes the same challenges of it."""

    base: str = Field(pattern=r"^[0-9a-f]{40}$")
    now: datetime
    items: tuple[Item, ...] = ()

    def item(self, model: str) -> Item:
        """The model's; raises ``KeyError``."""
        return {item.model: item for item in self.items}[model]


class Evaluated(StrictModel):
    """An experiment as it was judged: its row, and by digest the verdict and the report."""

    row: ExperimentRow
    verdict: str | None = Field(default=None, pattern=_DIGEST)
    report: str | None = Field(default=None, pattern=_DIGEST)
    cost: dict[str, Any] | None = None
    lease: LeaseEnd | None = None


class Evaluation(StrictModel):
    """The document of the outbox of one run."""

    schema_version: Literal[1] = 1
    repository: str
    run: int
    agenda: Agenda
    experiments: tuple[Evaluated, ...] = ()
    blobs: tuple[str, ...] = Field(default=(), max_length=MOST_BLOBS)
