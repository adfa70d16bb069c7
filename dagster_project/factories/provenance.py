"""Who vouches for a bundle: the launcher that built it writes down the commit, the snapshot and the run."""

import os
import shutil
import subprocess
from pathlib import Path

from dagster_project.domain.bundle import Provenance
from dagster_project.domain.origin import Origin
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger


def vouch(
    bundle: str, build_key: str, model: str, snapshot: Snapshot, environment: str, run: str, workspace: Workspace
) -> None:
    """Append the bundle's provenance to the ledger. Where the job says which commit it builds, that is the commit."""
    origin = Origin.of(os.environ)
    commit, dirty = (origin.commit, False) if origin.commit else commit_of(workspace.repo)
    row = Provenance(
        bundle=bundle,
        build_key=build_key,
        model=model,
        commit=commit,
        dirty=dirty,
        snapshot=snapshot.digest,
        environment=environment,
        run=run,
        launcher=origin.launcher,
    )
    Ledger(workspace.ledger, "provenance").append(row.model_dump(mode="json"))


def origin_of(workspace: Workspace) -> Origin:
    """The job's origin; where nobody says the commit, the one that is checked out and unchanged.

    Raises:
        UsageError: ``ACTS_COMMIT``, ``ACTS_PULL_REQUEST`` or ``ACTS_LAUNCHER`` is wrong.
    """
    origin = Origin.of(os.environ)
    if origin.commit is not None:
        return origin
    commit, dirty = commit_of(workspace.repo)
    return origin if dirty else origin.model_copy(update={"commit": commit})


def commit_of(repo: Path) -> tuple[str | None, bool]:
    """The commit that is checked out and whether files differ from it; (None, False) outside of git, or without git."""
    head = _git(repo, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        return None, False
    return head.strip(), bool(_git(repo, "status", "--porcelain"))


def _git(repo: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    done = subprocess.run(
        [program, "-C", str(repo), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        check=False,
    )
    return done.stdout if done.returncode == 0 else None
