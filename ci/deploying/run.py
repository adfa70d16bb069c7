"""``acts deploy``: read a commit, refuse or publish, and watch the servers."""

from dataclasses import dataclass
from pathlib import Path

from ci.deploying.console import Console
from ci.deploying.deployment import Deployment, Outcome, outcome_against
from ci.deploying.desired import desired_state
from ci.deploying.difference import changes
from ci.deploying.evidence import gather
from ci.deploying.publishing import publish, tell_dagster
from ci.deploying.standing import Fleet
from ci.deploying.waiting import Watch, look, watch
from ci.git import GitTree, is_ancestor
from dagster_project.domain.deployment import DesiredState, following
from dagster_project.domain.errors import UsageError
from dagster_project.domain.loading import CONTRACTS, MODELS, load_repository
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore


@dataclass(frozen=True)
class _Opened:
    """The commit, where it goes, and what is published there already."""

    workspace: Workspace
    tree: GitTree
    deployments: Deployments
    published: tuple[str, DesiredState] | None

    @property
    def state(self) -> DesiredState | None:
        return self.published[1] if self.published else None


def deploy(repo: Path, revision: str, seconds: float, console: Console, *, dry_run: bool = False) -> Deployment:
    """Make what the locks of ``revision`` say the desired state, and wait for the servers; or say what is against it.

    Raises:
        UsageError, UserFileError: there is no such commit, or its files are wrong.
        MachineryError: the store or the servers' place can't be used.
    """
    opened = _open(repo, revision)
    repository = load_repository(opened.tree)
    evidence = gather(repository, opened.deployments, opened.state)
    locked, obstacles = desired_state(opened.tree.commit, repository, evidence)
    wanted = following(locked, opened.state, {rejection.lock for rejection in opened.deployments.rejections()})
    found = Deployment(
        outcome=outcome_against(obstacles) if obstacles else "compared",
        commit=opened.tree.commit,
        digest=None if obstacles else wanted.content_digest(),
        previous=opened.published[0] if opened.published else None,
        changes=() if obstacles else changes(opened.state, wanted),
        obstacles=tuple(obstacles),
        notes=_notes(opened),
    )
    if dry_run:
        return found.model_copy(update={"live": _live(opened, console)})
    if obstacles:
        return found
    console.planned(found)
    found = publish(opened.deployments, opened.workspace.ledger, wanted, found)
    console.published(found)
    unrecorded = tell_dagster(opened.workspace, opened.tree, found.changes) if found.written else ""
    return _watched(opened, wanted, found.model_copy(update={"unrecorded": unrecorded}), seconds, console)


def _open(repo: Path, revision: str) -> _Opened:
    folder = repo.resolve()
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder. Name the repository with --repo.")
    tree, workspace = GitTree(folder, revision), Workspace(repo=folder)
    if not tree.paths(CONTRACTS) and not tree.paths(MODELS):
        raise UsageError(
            f"{folder}: commit {tree.commit[:12]} has neither {CONTRACTS}/ nor {MODELS}/: nothing to deploy."
        )
    deployments = Deployments(ArtifactStore.of(workspace), workspace.serving)
    return _Opened(workspace, tree, deployments, deployments.desired())


def _notes(opened: _Opened) -> tuple[str, ...]:
    before = opened.state.commit if opened.state else None
    if before and is_ancestor(opened.tree.repo, opened.tree.commit, before):
        return (f"Commit {opened.tree.commit[:12]} is older than the published {before[:12]}: this rolls back.",)
    return ()


def _live(opened: _Opened, console: Console) -> Fleet | None:
    if opened.published is None:
        return None
    return look(opened.deployments, *opened.published, set(), console.warn)


def _watched(opened: _Opened, wanted: DesiredState, found: Deployment, seconds: float, console: Console) -> Deployment:
    outcome: Outcome = "published"
    watched: Watch | None = None
    if seconds > 0:
        digest = str(found.digest)
        watched = watch(opened.deployments, digest, wanted, seconds, console.progress, console.warn)
        outcome = watched.ending
    return found.model_copy(update={"outcome": outcome, "watch": watched})
