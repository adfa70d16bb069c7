"""What an experiment's pull request holds: one branch a model, the wider search where there is one, and the lock.

A branch only ever moves forward: a newer challenger is laid over it together with the base that it was judged on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ci.experimenting.challenge import Challenge, declared_head
from ci.experimenting.commits import commit_files, tree_with
from ci.git import GitTree, is_ancestor
from ci.heads import changed_paths, merge_base
from ci.report.content import document
from ci.report.markdown import MARKER, render
from ci.report.model import Report
from dagster_project.domain.errors import UserFileError
from dagster_project.domain.experimenting import branch_of
from dagster_project.domain.lock_changes import lock_file
from dagster_project.domain.promoted import promoted_files
from dagster_project.domain.spec_changes import spec_file
from dagster_project.domain.specs import load_lock
from dagster_project.domain.verdict import Verdict
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore

MOST = 60_000
"""Bytes of the report in a pull request's text; GitHub takes 65,536 characters."""


@dataclass(frozen=True)
class Proposal:
    """A challenger that passed, as a pull request. ``files`` come on top of ``head``, which stands on ``base``."""

    model: str
    base: str
    head: str
    files: Mapping[str, bytes]
    message: str
    title: str
    body: str
    at: datetime
    challenger: str
    champion: str | None

    @property
    def branch(self) -> str:
        """The model's."""
        return branch_of(self.model)


def proposal(tried: Challenge, verdict: Verdict, report: Report, store: ArtifactStore) -> Proposal:
    """The pull request of a promotable verdict."""
    what = f"{tried.model}: {str(verdict.challenger_onnx)[:19]} by verdict {verdict.content_digest()[:19]}\n"
    return Proposal(
        model=tried.model,
        base=tried.base,
        head=tried.head,
        files=promoted_files(verdict, load_manifest(store, str(verdict.challenger)), verdict.head, tried.session.head),
        message=f"feat(models): promote {tried.model}\n\n{what}",
        title=f"Experiment: a better {tried.model}",
        body=body(tried, report),
        at=tried.now,
        challenger=str(verdict.challenger_onnx),
        champion=verdict.champion,
    )


def body(tried: Challenge, report: Report) -> str:
    """The pull request's text: why it is there, what was done, what is left to people, and the evidence."""
    how = f"on main at {tried.base[:12]}" + (
        f" with another search ({'; '.join(tried.changes)})" if tried.changes else ""
    )
    evidence = render(document(report), MOST).removeprefix(MARKER).strip()
    return (
        f"The system proposes this by itself, because: {'; '.join(tried.due.reasons)}.\n\n"
        f"A challenger was built {how}, on what its sources hold now, and passed the gates that main holds every "
        "challenger to. The lock below is what its verdict allows. Nothing is promoted until somebody merges this; "
        "a newer challenger that passes replaces this one here.\n\n"
        f"{evidence}\n"
    )


def others_changes(repo: Path, wanted: Proposal, tip: str) -> tuple[str, ...]:
    """Files that somebody else changed on the branch: those that no experiment writes, or not so."""
    parted = merge_base(repo, wanted.base, tip)
    if parted is None:
        return ("a history of its own",)
    changed = set(changed_paths(repo, parted, tip))
    return tuple(sorted(path for path in changed - set(wanted.files) if not _is_ours(repo, wanted, parted, tip, path)))


def stacked(repo: Path, wanted: Proposal, tip: str | None) -> str | None:
    """The commit that the branch moves to from ``tip``; None: it proposes this already."""
    if tip and stands_on(repo, wanted.base, tip) and _proposes(repo, tip, wanted):
        return None
    below = () if tip is None or stands_on(repo, tip, wanted.head) else (tip,)
    return commit_files(repo, wanted.head, [*below, wanted.head], wanted.files, wanted.message, wanted.at)


def _proposes(repo: Path, tip: str, wanted: Proposal) -> bool:
    """Whether a branch holds this challenger against this champion, and declares nothing else than wanted.

    A second judgement of the same bytes took other seconds, so that the two locks are not the same to the byte.
    """
    path = lock_file(wanted.model)
    try:
        lock = load_lock(GitTree(repo, tip).read(path), path)
    except (UserFileError, FileNotFoundError):
        return False
    same = (lock.onnx, lock.replaces) == (wanted.challenger, wanted.champion)
    return same and tree_with(repo, tip, wanted.files) == tree_with(repo, wanted.head, wanted.files)


def stands_on(repo: Path, older: str, newer: str) -> bool:
    """Whether ``newer`` is ``older`` or was made on top of it."""
    return older == newer or is_ancestor(repo, older, newer)


def _is_ours(repo: Path, wanted: Proposal, parted: str, tip: str, path: str) -> bool:
    """Whether it is the spec with the wider search that an experiment declared there."""
    if path != spec_file(wanted.model):
        return False
    try:
        declared = GitTree(repo, declared_head(repo, parted, wanted.model, wanted.at))
        return declared.read(path) == GitTree(repo, tip).read(path)
    except (UserFileError, FileNotFoundError):
        return False


def listed(paths: Iterable[str], most: int = 3) -> str:
    """A few paths in words."""
    found = list(paths)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")
