"""One deployed model as everything that watches it sees it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dagster_project.domain.contract import DataContract
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.files import location


@dataclass(frozen=True)
class Watched:
    """What is declared of the model, the champion that the lock names (None: none was promoted), and where things lie.

    ``now`` is an argument of what looks, never the clock: a replayed year is watched as it went by.
    """

    spec: ModelSpec
    contract: DataContract
    lock: ChampionLock | None
    workspace: Workspace

    def name_of(self, table: str) -> str:
        """Name in the warehouse of one of the model's tables (monitoring/tables.py)."""
        return f"monitoring/{self.spec.name}/{table}"

    def uri_of(self, table: str) -> str:
        """Where one of the model's tables lies."""
        return str(location(self.workspace.warehouse) / self.name_of(table))

    @property
    def maturity(self) -> timedelta:
        """Age at which a day's labels count as there."""
        return self.spec.monitoring.labels.maturity or self.contract.label_delay or timedelta(0)

    def matured_before(self, now: datetime) -> date:
        """The first day of events whose labels may still come at ``now``; those of all days before are there."""
        return (now - self.maturity).date()
