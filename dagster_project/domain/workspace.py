"""Where things lie: one place that knows the layout of ``.acts``."""

import os
from pathlib import Path

from .base import StrictModel

LABELS_FOLDER = "labels"


class Workspace(StrictModel):
    """Folders of one repository. ``warehouse``, ``store``, ``ledger`` and ``serving`` may be object storage URIs."""

    repo: Path

    @property
    def home(self) -> Path:
        """``.acts``, ignored by git; ``ACTS_HOME`` moves it."""
        return Path(os.environ.get("ACTS_HOME") or self.repo / ".acts")

    @property
    def warehouse(self) -> str:
        """Delta tables and split files; ``ACTS_WAREHOUSE`` moves it to object storage."""
        return os.environ.get("ACTS_WAREHOUSE") or str(self.home / "warehouse")

    @property
    def store(self) -> str:
        """Content-addressed artifacts; ``ACTS_STORE`` moves it to object storage."""
        return os.environ.get("ACTS_STORE") or str(self.home / "store")

    @property
    def shared_store(self) -> str | None:
        """A store that is read where ours lacks something, and never written: ``ACTS_SHARED_STORE``."""
        return os.environ.get("ACTS_SHARED_STORE") or None

    @property
    def ledger(self) -> str:
        """Append-only ledgers; ``ACTS_LEDGER`` moves it to object storage."""
        return os.environ.get("ACTS_LEDGER") or str(self.home / "ledger")

    @property
    def serving(self) -> str:
        """What servers write: their reports and rejections; ``ACTS_SERVING`` moves it to object storage."""
        return os.environ.get("ACTS_SERVING") or str(self.home / "serving")

    @property
    def serving_log(self) -> Path:
        """Segments of the prediction log, on this machine's disk; ``ACTS_SERVING_LOG`` moves them."""
        return Path(os.environ.get("ACTS_SERVING_LOG") or self.home / "serving" / "log")

    @property
    def serving_labels(self) -> Path:
        """Segments of the labels that servers were sent: inside the log's folder, the one that servers can write."""
        return self.serving_log / LABELS_FOLDER

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance: runs, events, schedules."""
        return self.home / "dagster"

    @property
    def shares_dagster(self) -> bool:
        """Whether runs and events go to the team's Dagster: ``ACTS_DAGSTER_POSTGRES_URL`` names its database."""
        return bool(os.environ.get("ACTS_DAGSTER_POSTGRES_URL"))

    @property
    def reports(self) -> Path:
        """Reports, one folder a judgement."""
        return self.home / "reports"

    @property
    def environment(self) -> str | None:
        """Which of a contract's servers is read: the one with this ODCS ``environment``; None is the first."""
        return os.environ.get("ACTS_ENVIRONMENT") or None
