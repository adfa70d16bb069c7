"""Dagster's instance: SQLite in ``.acts/dagster``, or the team's PostgreSQL. No telemetry."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef  # DagsterInstance.from_config takes no overrides

from dagster_project.domain.workspace import Workspace
from dagster_project.factories.locking import exclusive
from dagster_project.factories.shared import alone, shared_url, storage_of
from dagster_project.storage.files import write_atomic

SETTINGS = """\
# Written by acts; yours to change.
telemetry:
  enabled: false
nux:
  enabled: false # no welcome, no newsletter
"""
# A build on a terminal shows what it does as it does it. The UI's own runs keep their output in files.
TERMINAL = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}


def prepare_home(workspace: Workspace) -> Path:
    """The instance's folder, with its settings."""
    settings = workspace.dagster_home / "dagster.yaml"
    if not settings.exists():
        write_atomic(settings, SETTINGS.encode())
    return workspace.dagster_home


def open_instance(workspace: Workspace) -> dg.DagsterInstance:
    """The instance; its databases are made here, by one process at a time.

    Raises:
        UsageError: ``ACTS_DAGSTER_POSTGRES_URL`` is no address.
        MachineryError: the folder can't be written, or the database can't be used.
    """
    home = prepare_home(workspace)
    shared = shared_url(os.environ)
    if shared is not None:
        with alone(shared):
            return _instance(home, TERMINAL | storage_of(shared))
    with exclusive(workspace.home / "locks" / "dagster.lock", "Dagster's databases"):
        instance = _instance(home, TERMINAL)
        instance.get_runs_count()
        return instance


def _instance(home: Path, settings: dict[str, Any]) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=settings))
