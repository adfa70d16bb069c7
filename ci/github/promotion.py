"""Promotion on GitHub: a commit of the lock on the pull request's branch; where that can't be, a patch, and after the
merge a pull request of its own."""

from collections.abc import Iterable, Sequence

from ci.forge.failures import MovedError
from ci.forge.patch import patch
from ci.forge.values import PullRequest
from ci.git import GitTree
from ci.github.outbox import Outbox
from ci.github.submission import Desk, Submission
from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.loading import load_repository
from dagster_project.domain.lock_changes import lock_file
from dagster_project.domain.promoted import promoted_files
from dagster_project.domain.repository import Tree
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore


class Promotion(StrictModel):
    """``commit``: the branch's new head; None: nothing was written. ``notes`` say what is to be done instead."""

    commit: str | None = None
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    patch: str = ""


def promote_on_branch(
    desk: Desk, submission: Submission, verdicts: Sequence[Verdict], store: ArtifactStore
) -> Promotion:
    """Commit the locks that the verdicts allow onto the head that was judged.

    A branch that moved on is left alone: its new head is judged by itself.
    """
    before = GitTree(desk.repo, submission.head)
    locks = proposed_locks(verdicts, store, before)
    pull, models = submission.pull, tuple(sorted(locks))
    if not locks or pull.state != "open":
        return Promotion()
    files = {path: data for own in locks.values() for path, data in own.items()}
    try:
        if pull.is_fork:
            raise RefusedError("the branch belongs to a fork")
        commit = desk.forge.commit(pull.head_branch, submission.head, dict(files), message(verdicts, models))
    except MovedError:
        return Promotion()
    except RefusedError as refusal:
        changes = {path: (_bytes(before, path), data) for path, data in files.items()}
        why = f"The lock can't be written to {pull.head_branch} ({refusal}). Apply the patch, or merge without it: "
        return Promotion(
            models=models, notes=(f"{why}the merge opens a pull request that promotes.",), patch=patch(changes)
        )
    return Promotion(commit=commit, models=models)


def promote_merged(desk: Desk, pull: PullRequest, tip: str, outbox: str) -> int:
    """Open (or renew) the pull request that promotes what ``pull`` earned and its merge did not carry; its number.

    ``outbox`` is the digest that the verdict's check names. 0: the merge, or main by now, has everything.
    """
    store = ArtifactStore.of(Workspace(repo=desk.repo))
    judged = Outbox.from_json(store.get(outbox)).verdicts
    verdicts = [Verdict.from_json(store.get(subject.verdict)) for subject in judged]
    locks = proposed_locks(verdicts, store, GitTree(desk.repo, tip))
    if not locks or not proposed_locks(verdicts, store, GitTree(desk.repo, desk.fetch_main())):
        return 0
    models, branch = tuple(sorted(locks)), f"acts/promote-{pull.number}"
    desk.forge.create_branch(branch, tip)
    files = {path: data for own in locks.values() for path, data in own.items()}
    desk.forge.commit(branch, tip, files, message(verdicts, models))
    title = f"Promote {', '.join(models)}"
    words = f"The verdict on #{pull.number} allows this, and its branch could not be written to."
    return desk.forge.open_pull(branch, pull.base_branch, title, words).number


def proposed_locks(verdicts: Iterable[Verdict], store: ArtifactStore, tree: Tree) -> dict[str, dict[str, bytes]]:
    """By model: lock and card by path, of every promotable verdict whose lock ``tree`` doesn't have yet."""
    found, head = {}, load_repository(tree)
    for verdict in verdicts:
        if verdict.promotable:
            manifest = load_manifest(store, str(verdict.challenger))
            files, lock = promoted_files(verdict, manifest, verdict.head, head), lock_file(verdict.subject.name)
            if _bytes(tree, lock) != files[lock]:
                found[verdict.subject.name] = files
    return found


def message(verdicts: Iterable[Verdict], models: Sequence[str]) -> str:
    """The commit's."""
    lines = [
        f"{v.subject.name}: {str(v.challenger_onnx)[:19]} by verdict {v.content_digest()[:19]}"
        for v in verdicts
        if v.subject.name in models
    ]
    return f"feat(models): promote {', '.join(models)}\n\n" + "\n".join(lines) + "\n"


def _bytes(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.read(path)
    except FileNotFoundError:
        return None
