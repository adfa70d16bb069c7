"""What a deployment left: the published state, the ledger's rows, the lock of a commit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dagster_project.domain.deployment import DesiredState
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.specs import load_lock
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.ledger import Ledger
from tests.ci.workbench import MODEL, git

LOCK = f"models/{MODEL}/champion.lock.yaml"
TRIPS = "data_contracts/trips.yaml"
Acts = Callable[..., tuple[int, str, str]]


def lock_of(repo: Path, revision: str = "HEAD") -> ChampionLock:
    return load_lock(git(repo, "show", f"{revision}:{LOCK}"), LOCK)


def desired(deployments: Deployments) -> DesiredState:
    found = deployments.desired()
    assert found is not None
    return found[1]


def rows(repo: Path) -> list[dict[str, Any]]:
    return Ledger(Workspace(repo=repo).ledger, "deployments").rows()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(acts: Acts, deployments: Deployments, code: int) -> str:
    """The words of a deployment that is refused before anything is written."""
    before = deployments.desired()
    found, output, _ = acts()
    assert found == code, output
    assert "Nothing was published" in output
    assert deployments.desired() == before
    return output
