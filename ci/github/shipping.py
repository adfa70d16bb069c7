"""From a merge to what is served: the merge must be the judged head's, and what does not stay healthy goes back."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.deploying.console import Console
from ci.deploying.deployment import Deployment
from ci.deploying.run import deploy
from ci.forge.values import Check, DeploymentState, PullRequest
from ci.git import GitTree
from ci.github.health import unhealthy
from ci.github.submission import MAIN, Desk
from ci.github.telling import CHECK
from ci.heads import changed_paths
from ci.session import DECLARATIONS
from dagster_project.domain.deployment import DESIRED, DesiredState
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import Repository
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.ledger import Ledger
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
    """How it ended; ``reason``: what is not healthy; ``back``: the deployment of the former state."""

    deployment: Deployment
    reason: str = ""
    back: Deployment | None = None

    @property
    def exit_code(self) -> int:
        """1 where it was taken back, else the deployment's."""
        return 1 if self.reason and self.deployment.outcome in HEALTHY else self.deployment.exit_code

    @property
    def words(self) -> str:
        """What is served now, and why."""
        if not self.reason:
            return f"{self.deployment.outcome}: desired state {str(self.deployment.digest)[:19]}"
        if self.back is None:
            return f"nothing was taken back: {self.reason}"
        commit, healthy = self.back.commit[:12], self.back.outcome in HEALTHY
        return f"{f'back to {commit}' if healthy else f'back to {commit}: {self.back.outcome}'}: {self.reason}"


def ship(desk: Desk, commit: str, to: Shipping, console: Console) -> Shipped:
    """Deploy what the merge ``commit`` promotes, under a GitHub deployment that says how it goes.

    Raises:
        RefusedError: no passed verdict stands for the commit.
    """
    pull, outbox = verdict_of(desk, commit, to.app)
    check_vouched(Workspace(repo=desk.repo), _served(desk.repo), load_repository(GitTree(desk.repo, commit)))
    payload: dict[str, Any] = {"pull_request": pull.number, "head": pull.head, "verdict": outbox}
    id = desk.forge.deployment(commit, to.environment, f"#{pull.number} {pull.title}"[:140], payload)

    def status(state: DeploymentState, words: str) -> None:
        desk.forge.deployment_status(id, state, words[:140], log_url=to.log_url)

    status("in_progress", "publishing")
    try:
        done = _shipped(desk.repo, commit, to, console)
    except BaseException:
        status("error", "the machinery broke: see the log, and run it again")
        raise
    status("failure" if done.reason else "success", done.words)
    return done


def _shipped(repo: Path, commit: str, to: Shipping, console: Console) -> Shipped:
    before = _former(repo, commit)
    found = deploy(repo, commit, to.wait, console)
    reason = _trouble(found) or unhealthy(to.health, tuple(change.model for change in found.changes if change.commit))
    return Shipped(found, reason, _roll_back(repo, before, found, to.wait, console) if reason else None)


def verdict_of(desk: Desk, commit: str, app: int) -> tuple[PullRequest, str]:
    """The pull request that ``commit`` merged, and the digest of the outbox whose verdict passed.

    Raises:
        RefusedError: the commit is no merge, our App's newest check of its head is no success, or what was merged
            is not what was judged.
    """
    found = desk.forge.pulls_of_commit(commit)
    merged = [p for p in found if p.merged and (p.merge_commit, p.base_branch) == (commit, MAIN)]
    if not merged:
        raise RefusedError(f"{commit[:12]} is not the merge of a pull request: nothing is deployed from it.")
    pull = merged[0]
    digest = passed_check(desk.forge.checks(pull.head, CHECK), app, pull)
    desk.fetch_pull(pull.number)
    other = changed_paths(desk.repo, pull.head, commit, DECLARATIONS)
    if other:
        raise RefusedError(
            f"the merge {commit[:12]} holds other declarations than {pull.head[:12]}, which was judged: "
            f"{', '.join(other[:3])}. Open a pull request with what main holds now."
        )
    return pull, digest


def check_vouched(workspace: Workspace, served: Set[str], after: Repository) -> None:
    """Look into the ledger who stands for the champions that are not ``served`` yet (digests of bundles).

    Raises:
        RefusedError: nobody does for one of them.
    """
    new = [lock for lock in after.locks.values() if lock.bundle not in served]
    known = {row.get("bundle") for row in Ledger(workspace.ledger, "provenance").rows()} if new else set()
    for lock in new:
        if lock.bundle not in known:
            raise RefusedError(
                f"{lock.model}: nobody stands for the bundle {lock.bundle[:19]}: nothing is deployed. Promote what the "
                "launcher built."
            )


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


def _served(repo: Path) -> frozenset[str]:
    """Bundles of the state that is desired now."""
    now = _deployments(repo).desired()
    return frozenset(model.lock.bundle for model in now[1].models.values()) if now else frozenset()


def _deployments(repo: Path) -> Deployments:
    workspace = Workspace(repo=repo)
    return Deployments(ArtifactStore.of(workspace), workspace.serving)


def _former(repo: Path, commit: str) -> str | None:
    """Commit of the state before ``commit``'s, which a job that was killed may have published already."""
    deployments = _deployments(repo)
    now = deployments.desired()
    if now is None or now[1].commit != commit:
        return now[1].commit if now else None
    previous = (deployments.store.get_ref(DESIRED) or {}).get("previous")
    return DesiredState.from_json(deployments.store.get(previous)).commit if previous else None


def _roll_back(repo: Path, before: str | None, found: Deployment, wait: float, console: Console) -> Deployment | None:
    """Publish what was desired before, where this deployment's state is the one that is desired now."""
    now = _deployments(repo).desired()
    if before is None or now is None or now[0] != found.digest:
        return None
    return deploy(repo, before, wait, console)
