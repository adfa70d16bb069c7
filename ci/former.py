"""What a branch had before: locks and whole folders of models, so that a revert is known for one; and whether the rules
that judged are still the branch's."""

from collections.abc import Sequence
from pathlib import Path

from ci.git import GitTree, answer_of, differs, is_ancestor, output_of
from ci.heads import has_commit
from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.loading import CONTRACTS, FLOOR, MODELS
from dagster_project.domain.lock_changes import lock_file
from dagster_project.domain.repository import Repository, Tree
from dagster_project.domain.verdict import Verdict

MOST = 200
"""Commits of a model that are looked at; a rollback further back is judged again."""


def former_locks(before: GitTree, model: str) -> tuple[str, ...]:
    """Digests of the lock files that ``before`` and the commits below it had, newest first."""
    found = (_file(before, commit, lock_file(model)) for commit in _commits(before, model))
    return tuple(dict.fromkeys(digest_of_bytes(data) for data in found if data is not None))


def has_returned(before: GitTree, after: Tree, model: str, datasets: Sequence[str]) -> bool:
    """Whether the model's folder is, to the byte, what ``before`` or a commit below it had together with a lock.

    So must be the contracts and SQL of the ``datasets`` that it reads: it was judged on their rows.
    """
    files = _files(after, model, datasets)
    return lock_file(model) in files and any(
        files == _files(GitTree(before.repo, commit), model, datasets) for commit in _commits(before, model)
    )


def is_of_these_rules(verdict: Verdict | None, before: GitTree, head: Repository) -> bool:
    """Whether a verdict was given by the spec that stands here, and by a floor and contracts that are the branch's now.

    The contracts may have come with the change that was judged: those of its head count, where this clone has it.
    """
    if verdict is None or verdict.base is None or verdict.loosened or verdict.subject.name not in head.specs:
        return False
    model, repo = verdict.subject.name, before.repo
    if verdict.spec != head.specs[model].content_digest() or not _is_within(repo, verdict.base, before.commit):
        return False
    judged = verdict.head if verdict.head and has_commit(repo, verdict.head) else verdict.base
    paths = [f"{CONTRACTS}/{name}{suffix}" for name in datasets_of(head, model) for suffix in (".yaml", ".sql")]
    return not differs(repo, verdict.base, before.commit, FLOOR) and not differs(repo, judged, before.commit, *paths)


def datasets_of(head: Repository, model: str) -> tuple[str, ...]:
    """The model's dataset and everything that it is derived from."""
    dataset = head.specs[model].contract.name
    return (*head.inputs_of(dataset), dataset)


def _commits(before: GitTree, model: str) -> list[str]:
    """Commits of the branch itself that changed the model's folder, newest first; not what merged branches did."""
    log = ("log", "--first-parent", f"--max-count={MOST}", "--format=%H", before.commit, "--", f"models/{model}")
    return output_of(before.repo, *log).decode().split()


def _files(tree: Tree, model: str, datasets: Sequence[str]) -> dict[str, bytes]:
    read = {f"{CONTRACTS}/{name}{suffix}" for name in datasets for suffix in (".yaml", ".sql")}
    paths = (*tree.paths(f"{MODELS}/{model}"), *(path for path in tree.paths(CONTRACTS) if path in read))
    return {path: tree.read(path) for path in paths}


def _file(before: GitTree, commit: str, path: str) -> bytes | None:
    answer = answer_of(before.repo, ("cat-file", "blob", f"{commit}:{path}"))
    return None if answer.returncode else answer.stdout


def _is_within(repo: Path, commit: str, tip: str) -> bool:
    return commit == tip or is_ancestor(repo, commit, tip)
