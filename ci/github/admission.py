"""Why the launcher doesn't build a pull request by itself: what only a maintainer's word lets in."""

from collections.abc import Iterator
from pathlib import Path

from ci.git import GitTree
from ci.github.standing import CODE, TRAIN_LABEL, Obstacles
from ci.heads import changed_paths
from dagster_project.domain.contract import DataContract
from dagster_project.domain.loading import read_repository
from dagster_project.domain.repository import Repository

_NAMED = 3


def obstacles(repo: Path, is_fork: bool, base: str, head: str) -> Obstacles:
    """None where a branch of this repository changes contracts, specs and texts alone, on main's sources."""
    found = ["It comes from a fork."] if is_fork else []
    code = changed_paths(repo, base, head, CODE)
    if code:
        named = ", ".join(code[:_NAMED]) + (f" and {len(code) - _NAMED} more" if len(code) > _NAMED else "")
        found.append(f"It changes more than contracts, specs and texts ({named}).")
    guarded = guarded_changes(*(read_repository(GitTree(repo, commit)).repository for commit in (base, head)))
    found += guarded
    hint = (f"A maintainer's label {TRAIN_LABEL} starts the build, by main's code.",) if found else ()
    return Obstacles(reasons=(*found, *hint), unseen=bool(guarded))


def guarded_changes(base: Repository, head: Repository) -> list[str]:
    """Where the head reads what main doesn't, or lets more people see it. Pure.

    The jobs that build and judge may read more than whoever wrote the contract.
    """
    pairs = ((base.contracts.get(name), contract) for name, contract in sorted(head.contracts.items()))
    return [change for before, after in pairs for change in _guarded(before, after)]


def _guarded(before: DataContract | None, after: DataContract) -> Iterator[str]:
    if after.servers != (before.servers if before else ()):
        yield f"{after.file}: {after.name} is read from another place than main says."
    hidden = {column.name for column in before.columns if not column.public} if before else set()
    shown = sorted(column.name for column in after.columns if column.public and column.name in hidden)
    if shown:
        yield f"{after.file}: {', '.join(shown)} could be seen by more people."
