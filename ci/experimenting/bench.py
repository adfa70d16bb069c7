"""Where a challenger is built and held against the champion: here, or by what a run of the workflow left."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ci.experimenting.challenge import Challenge, write_declarations
from ci.judging.run import Judged, cost_row, last_lease, measured, recorded
from ci.programs import run_build
from dagster_project.domain.build import BuildResult
from dagster_project.domain.origin import Origin
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore

LAUNCHER = "experiment"


class Bench(Protocol):
    """Builds by the head's declarations, judges by the base's rules."""

    def build(self, tried: Challenge) -> BuildResult:
        """Raises ``RefusedError`` where it would cost too much or learn nothing, ``MachineryError`` where it broke."""

    def judge(self, tried: Challenge, built: BuildResult) -> Judged:
        """The verdict on what was built; raises ``MachineryError``."""


@dataclass(frozen=True)
class LocalBench:
    """This machine, or the cluster that the spec's profile names."""

    quiet: bool = False

    def build(self, tried: Challenge) -> BuildResult:
        """In a Dagster run, on what the sources hold now."""
        workspace, origin = tried.session.workspace, Origin(commit=tried.head, launcher=LAUNCHER)
        with tempfile.TemporaryDirectory(prefix="acts-experiment-") as folder:
            write_declarations(workspace.repo, tried.head, Path(folder))
            return run_build(workspace, "model", tried.model, quiet=self.quiet, tree=Path(folder), origin=origin)

    def judge(self, tried: Challenge, built: BuildResult) -> Judged:
        """The build that was the last here, as the launcher vouched for it."""
        workspace = tried.session.workspace
        lease = last_lease(ArtifactStore.of(workspace), tried.model)
        judged = measured(tried.session, tried.model, None, recorded(workspace), lease)
        Ledger(workspace.ledger, "builds").append(cost_row(judged))
        return judged
