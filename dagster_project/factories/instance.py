"""Dagster's instance in ``.acts/dagster``: SQLite, no telemetry."""

from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef  # DagsterInstance.from_config takes no overrides

from dagster_project.domain.workspace import Workspace
from dagster_project.factories.locking import exclusive
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
        MachineryError: the folder can't be written.
    """
    home = prepare_home(workspace)
    with exclusive(workspace.home / "locks" / "dagster.lock", "Dagster's databases"):
        instance = dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=TERMINAL))
        instance.get_runs_count()
        return instance
