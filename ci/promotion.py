"""Promotion: the last verdict on a model becomes its champion lock, if everything is still as it was judged."""

from pathlib import Path

from ci.git import resolve
from ci.judging.run import last_verdict
from dagster_project.domain.errors import RefusedError, UsageError
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.promoted import promoted_files
from dagster_project.domain.promotion import champion_lock
from dagster_project.domain.repository import Repository
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.files import write_atomic
from dagster_project.storage.store import ArtifactStore


def promote(workspace: Workspace, head: Repository, model: str) -> tuple[tuple[Path, ...], ChampionLock, bool]:
    """Write the lock, then its card; their paths, the lock itself, and whether a file changed.

    Raises:
        UsageError: there is no such model, or nothing was judged.
        RefusedError: the verdict allows nothing, or the spec or the champion changed since.
    """
    if model not in head.specs:
        raise UsageError(f"there is no model '{model}'. There is: {', '.join(sorted(head.specs)) or 'none'}.")
    store = ArtifactStore.of(workspace)
    verdict = last_verdict(store, "model", model)
    commit = verdict.head or resolve(workspace.repo, "HEAD")
    manifest = load_manifest(store, str(verdict.challenger))
    lock = champion_lock(verdict, manifest, commit)
    _still_as_judged(head, lock, verdict)
    files = {workspace.repo / path: data for path, data in promoted_files(verdict, manifest, commit, head).items()}
    changed = [path for path, data in files.items() if not path.exists() or path.read_bytes() != data]
    for path in changed:
        write_atomic(path, files[path])
    return tuple(files), lock, bool(changed)


def _still_as_judged(head: Repository, lock: ChampionLock, verdict: Verdict) -> None:
    """What was judged is what stands here now."""
    if head.specs[lock.model].training_digest() != lock.spec:
        raise RefusedError(f"{lock.model}: its spec changed after the verdict. Run acts pr again.")
    champion = head.locks.get(lock.model)
    if (champion.onnx if champion else None) not in (verdict.champion, lock.onnx):
        raise RefusedError(f"{lock.model}: the champion changed after the verdict. Run acts pr again.")
