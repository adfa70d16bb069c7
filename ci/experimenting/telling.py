"""What became of an experiment, told to Dagster: the verdict on the challenger, and the experiment itself."""

import tempfile
from pathlib import Path

from ci.experimenting.bench import LAUNCHER
from ci.experimenting.challenge import Challenge
from ci.programs import record
from dagster_project.domain.experimenting import ExperimentRow
from dagster_project.domain.origin import Origin
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.files import write_atomic


def tell_dagster(workspace: Workspace, tried: Challenge, row: ExperimentRow, verdict: Verdict | Path | None) -> None:
    """``verdict``: itself, or its file beside a report's page.

    Raises:
        MachineryError: Dagster's instance can't be written.
    """
    with tempfile.TemporaryDirectory(prefix="acts-experiment-") as folder:
        files = [Path(folder) / f"experiment-{tried.model}.json"]
        write_atomic(files[0], row.to_json().encode())
        if isinstance(verdict, Verdict):
            files.append(Path(folder) / f"model-{tried.model}.json")
            write_atomic(files[1], verdict.to_json().encode())
        elif verdict is not None:
            files.append(verdict)
        record(workspace, *files, origin=Origin(commit=tried.head, launcher=LAUNCHER))
