"""What a branch had before: locks and whole folders of models, so that a revert is known for one."""

from ci.git import GitTree, answer_of, output_of
from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.lock_changes import lock_file
from dagster_project.domain.repository import Tree

MOST = 200
"""Commits of a model that are looked at; a rollback further back is judged again."""


def former_locks(before: GitTree, model: str) -> tuple[str, ...]:
    """Digests of the lock files that ``before`` and the commits below it had, newest first."""
    found = (_file(before, commit, lock_file(model)) for commit in _commits(before, model))
    return tuple(dict.fromkeys(digest_of_bytes(data) for data in found if data is not None))


def has_returned(before: GitTree, after: Tree, model: str) -> bool:
    """Whether the model's folder is, to the byte, what ``before`` or a commit below it had together with a lock."""
    folder = f"models/{model}"
    files = {path: after.read(path) for path in after.paths(folder)}
    return lock_file(model) in files and any(
        files == _files(before, commit, folder) for commit in _commits(before, model)
    )


def _commits(before: GitTree, model: str) -> list[str]:
    """Commits of the branch itself that changed the model's folder, newest first; not what merged branches did."""
    log = ("log", "--first-parent", f"--max-count={MOST}", "--format=%H", before.commit, "--", f"models/{model}")
    return output_of(before.repo, *log).decode().split()


def _files(before: GitTree, commit: str, folder: str) -> dict[str, bytes]:
    tree = GitTree(before.repo, commit)
    return {path: tree.read(path) for path in tree.paths(folder)}


def _file(before: GitTree, commit: str, path: str) -> bytes | None:
    answer = answer_of(before.repo, ("cat-file", "blob", f"{commit}:{path}"))
    return None if answer.returncode else answer.stdout
