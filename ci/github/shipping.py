"""From a merge to what is served: the merge must be the judged head's, and what does not stay healthy goes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.deploying.console import Console
from ci.deploying.deployment import Deployment
from ci.deploying.run import deploy
from ci.forge.values import Check, DeploymentState, PullRequest
from ci.github.health import unhealthy
from ci.github.submission import Desk
from ci.github.telling import CHECK
from ci.heads import changed_paths, fetch_pull
from ci.session import DECLARATIONS
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore

HEALTHY = ("served", "nobody", "published")


@dataclass(frozen=True)
class Shipping:
    """Where to, and what has to answer there. ``app`` is the App whose check is a verdict."""

    app: int
    environment: str = "production"
    wait: float = 300.0
    health: tuple[str, ...] = ()
    log_url: str = ""


@dataclass(frozen=True)
class Shipped:
    """How it ended; ``back``: the commit that is served again."""

    deployment: Deployment
    reason: str = ""
    back: str | None = None

    @property
    def exit_code(self) -> int:
        """1 where it was taken back, else the deployment's."""
        return 1 if self.reason and self.deployment.outcome in HEALTHY else self.deployment.exit_code


def ship(desk: Desk, commit: str, to: Shipping, console: Console, token: str | None = None) -> Shipped:
    """Deploy what the merge ``commit`` promotes, under a GitHub deployment that says how it goes.

    Raises:
        RefusedError: no passed verdict stands for the commit.
    """
    pull, outbox = verdict_of(desk, commit, to.app, token)
    payload: dict[str, Any] = {"pull_request": pull.number, "head": pull.head, "verdict": outbox}
    id = desk.forge.deployment(commit, to.environment, f"#{pull.number} {pull.title}"[:140], payload)

    def status(state: DeploymentState, words: str) -> None:
        desk.forge.deployment_status(id, state, words[:140], log_url=to.log_url)

    status("in_progress", "publishing")
    before = _published(desk.repo)
    try:
        found = deploy(desk.repo, commit, to.wait, console)
        reason = _trouble(found) or unhealthy(
            to.health, tuple(change.model for change in found.changes if change.commit)
        )
    except BaseException:
        status("error", "the machinery broke: see the log, and run it again")
        raise
    if not reason:
        status("success", f"{found.outcome}: desired state {str(found.digest)[:19]}")
        return Shipped(found)
    back = _roll_back(desk.repo, before, found, to.wait, console)
    status("failure", f"{reason}; {'back to ' + back[:12] if back else 'nothing was taken back'}")
    return Shipped(found, reason, back)


def verdict_of(desk: Desk, commit: str, app: int, token: str | None = None) -> tuple[PullRequest, str]:
    """The pull request that ``commit`` merged, and the digest of the outbox whose verdict passed.

    Raises:
        RefusedError: the commit is no merge, our App's newest check of its head is no success, or what was merged
            is not what was judged.
    """
    merged = [p for p in desk.forge.pulls_of_commit(commit) if p.merged and p.merge_commit == commit]
    if not merged:
        raise RefusedError(f"{commit[:12]} is not the merge of a pull request: nothing is deployed from it.")
    pull = merged[0]
    digest = passed_check(desk.forge.checks(pull.head, CHECK), app, pull)
    fetch_pull(desk.repo, pull.number, token)
    other = changed_paths(desk.repo, pull.head, commit, DECLARATIONS)
    if other:
        raise RefusedError(
            f"the merge {commit[:12]} holds other declarations than {pull.head[:12]}, which was judged: "
            f"{', '.join(other[:3])}. Open a pull request with what main holds now."
        )
    return pull, digest


def passed_check(checks: Sequence[Check], app: int, pull: PullRequest) -> str:
    """The digest that our App's newest check names; checks of others with its name count for nothing. Pure.

    Raises:
        RefusedError: there is none, or it did not pass.
    """
    own = next((check for check in checks if check.app == app), None)
    if own is None:
        raise RefusedError(f"#{pull.number} was merged at {pull.head[:12]} without a verdict. Judge it first.")
    if own.conclusion != "success" or not own.external_id:
        raise RefusedError(f"the verdict on #{pull.number} at {pull.head[:12]} is '{own.conclusion or own.status}'.")
    return own.external_id


def _trouble(found: Deployment) -> str:
    return "" if found.outcome in HEALTHY else f"the deployment ended as {found.outcome}"


def _published(repo: Path) -> str | None:
    """Commit of the state that is desired now."""
    workspace = Workspace(repo=repo)
    now = Deployments(ArtifactStore.of(workspace), workspace.serving).desired()
    return now[1].commit if now else None


def _roll_back(repo: Path, before: str | None, found: Deployment, wait: float, console: Console) -> str | None:
    """Publish what was desired before, where this deployment changed it; the commit."""
    if before is None or not found.written:
        return None
    again = deploy(repo, before, wait, console)
    return before if again.outcome in HEALTHY else None
