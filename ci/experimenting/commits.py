"""Commits made as git objects: no worktree is checked out, no index is touched, nothing is left by a kill but objects.

The same files on the same commit at the same time are the same commit, on any machine.
"""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ci.git import answer_of, broken, output_of
from dagster_project.domain.errors import MachineryError

WHO = "Three Acts <experiments@threeacts.invalid>"


def commit_files(
    repo: Path, base: str, parents: Sequence[str], files: Mapping[str, bytes], message: str, at: datetime
) -> str:
    """A commit of ``base``'s files with ``files`` (by path from ``repo``) laid over them; no branch moves."""
    stamp = f"{WHO} {int(at.astimezone(UTC).timestamp())} +0000"
    heads = [f"tree {tree_with(repo, base, files)}", *(f"parent {parent}" for parent in parents)]
    text = "\n".join([*heads, f"author {stamp}", f"committer {stamp}", "", message])
    return _text(output_of(repo, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()))


def tree_with(repo: Path, base: str, files: Mapping[str, bytes]) -> str:
    """The tree of ``base`` with ``files`` laid over it."""
    inside = _text(output_of(repo, "rev-parse", "--show-prefix"))
    with tempfile.TemporaryDirectory(prefix="acts-index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git(repo, index, "read-tree", base)
        for path, data in sorted(files.items()):
            blob = _text(output_of(repo, "hash-object", "-w", "--stdin", stdin=data))
            _git(repo, index, "update-index", "--add", "--cacheinfo", f"100644,{blob},{inside}{path}")
        return _git(repo, index, "write-tree")


def branch_head(repo: Path, branch: str) -> str | None:
    """Commit of a branch of this clone; None where there is none."""
    answer = answer_of(repo, ("rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/heads/{branch}"))
    return answer.stdout.decode().strip() if answer.returncode == 0 else None


def move_branch(repo: Path, branch: str, commit: str, before: str | None) -> None:
    """Make or move a branch, if it still stands at ``before``.

    Raises:
        MachineryError: it was moved at the same time.
    """
    answer = answer_of(repo, ("update-ref", f"refs/heads/{branch}", commit, before or "0" * len(commit)))
    if answer.returncode:
        raise MachineryError(f"the branch {branch} was moved at the same time. Run acts experiment again.")


def keep_commit(repo: Path, name: str, commit: str) -> None:
    """Let git keep what was tried: a commit that no branch has would be collected one day."""
    output_of(repo, "update-ref", f"refs/acts/{name}", commit)


def checked_out_in(repo: Path, branch: str) -> str | None:
    """The folder in which a branch is checked out, where somebody may be working on it."""
    folder = ""
    for line in output_of(repo, "worktree", "list", "--porcelain").decode(errors="replace").splitlines():
        if line.startswith("worktree "):
            folder = line.removeprefix("worktree ")
        if line == f"branch refs/heads/{branch}":
            return folder
    return None


def _git(repo: Path, settings: Mapping[str, str], *arguments: str) -> str:
    answer = answer_of(repo, arguments, settings=settings)
    return broken(answer) if answer.returncode else _text(answer.stdout)


def _text(output: bytes) -> str:
    return output.decode().strip()
