"""A pull request's declarations laid over a clone of the base branch, so that they are built by the base's code."""

import json
from pathlib import Path, PurePosixPath

from ci.git import GitTree
from ci.github.admission import obstacles
from ci.heads import changed_paths
from ci.planning import make_plan
from ci.session import DECLARATIONS
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.plan import Plan
from dagster_project.domain.promoted import PROMOTED
from dagster_project.domain.verdict import Outcome
from dagster_project.storage.files import write_atomic

MOST_BUILDS = 256
_CODE = (".py", ".pyc", ".so")


def lay_over(repo: Path, commit: str) -> tuple[str, ...]:
    """Replace the working folder's contracts and models by those of ``commit``; the paths that lie there now.

    Raises:
        UserFileError: one of them is a link, or too large.
        RefusedError: a path leads elsewhere, or is code that is not the base branch's own.
    """
    tree = GitTree(repo, commit)
    paths = [path for folder in DECLARATIONS for path in tree.paths(folder)]
    files = {_checked(path): tree.read(path) for path in paths}
    foreign = [path for path, data in files.items() if path.endswith(_CODE) and data != _standing(repo / path)]
    if foreign:
        raise RefusedError(
            f"{foreign[0]}: code of a pull request is not built here. Bring it to the base branch first."
        )
    for folder in DECLARATIONS:
        for old in sorted((repo / folder).rglob("*"), reverse=True):
            old.rmdir() if old.is_dir() and not old.is_symlink() else old.unlink()
    for path, data in files.items():
        write_atomic(repo / path, data)
    return tuple(files)


def builds_of_pull(repo: Path, base: str, head: str, *, own: bool) -> tuple[dict[str, str], ...]:
    """What a pull request's run has to build for ``head``: kind and name of each, in the plan's order.

    Nothing where the launcher builds it by itself (``own``: the branch is of this repository), and nothing for a commit
    of locks alone: these are held against their verdicts where verdicts are kept.

    Raises:
        UserFileError: a file is wrong.
        RefusedError: the plan refuses the change.
    """
    parent = f"{head}^1"
    changed = changed_paths(repo, parent, head)
    if changed and set(changed) == set(
        changed_paths(repo, parent, head, tuple(f":(glob){pattern}" for pattern in PROMOTED))
    ):
        return ()
    plan = make_plan(repo, base, head)
    said = [f for f in plan.findings if f.outcome in (Outcome.FAILED, Outcome.BROKEN) and not _of_lock(f.file)]
    if said:
        raise RefusedError("\n".join(f"{f.file or f.name}: {f.summary} {f.hint}".rstrip() for f in said))
    return () if own and not obstacles(repo, False, base, head).reasons else builds_in(plan)


def builds_in(plan: Plan) -> tuple[dict[str, str], ...]:
    """The plan's builds as a workflow's matrix has them."""
    return tuple({"kind": step.kind, "name": step.name} for step in plan.steps if step.action == "build")


def as_matrix(builds: tuple[dict[str, str], ...]) -> str:
    """For a workflow's output; without builds ``{"include":[]}``.

    Raises:
        RefusedError: they are more than GitHub runs.
    """
    if len(builds) > MOST_BUILDS:
        raise RefusedError(f"{len(builds)} builds, where a workflow runs {MOST_BUILDS}. Split the pull request.")
    return json.dumps({"include": builds}, separators=(",", ":"))


def _of_lock(file: str | None) -> bool:
    return file is not None and any(PurePosixPath(file).match(pattern) for pattern in PROMOTED)


def _checked(path: str) -> str:
    parts = PurePosixPath(path).parts
    if any(part.lower() in ("..", ".", ".git") or "\\" in part for part in parts) or path.startswith("/"):
        raise RefusedError(f"{path}: no path inside the repository.")
    return path


def _standing(path: Path) -> bytes | None:
    """Bytes of the base branch's own file."""
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None
