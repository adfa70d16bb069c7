"""A repository with its base branch, as the commands that build and judge see it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ci.git import GitTree, WorkingTree, default_base, is_dirty, resolve
from ci.judging.model import Commits
from ci.options import repository
from dagster_project.domain.errors import UsageError
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import Repository, Tree
from dagster_project.domain.workspace import Workspace

DECLARATIONS = ("data_contracts", "models")


@dataclass(frozen=True)
class Session:
    """Base is the commit whose rules judge; ``tree`` holds the head's files: the working folder, or a commit's."""

    workspace: Workspace
    base: Repository
    head: Repository
    tree: Tree
    commits: Commits
    dirty: bool


def kind_of(repository: Repository, name: str) -> Literal["dataset", "model"]:
    """Whether ``name`` is a dataset or a model.

    Raises:
        UsageError: it is neither.
    """
    if name in repository.specs:
        return "model"
    if name in repository.contracts:
        return "dataset"
    known = ", ".join((*sorted(repository.contracts), *sorted(repository.specs))) or "nothing"
    raise UsageError(f"there is no dataset or model '{name}'. There is: {known}.")


def open_head(repo: Path) -> tuple[Workspace, Repository]:
    """The working folder alone, for what needs no base branch.

    Raises:
        UserFileError: its files are wrong.
        UsageError: there is nothing to read.
    """
    folder = repository(repo)
    return Workspace(repo=folder), load_repository(WorkingTree(folder))


def open_session(repo: Path, base: str | None = None) -> Session:
    """Read both trees.

    Raises:
        UserFileError: files of the working folder are wrong.
        UsageError: there is no such repository or commit.
    """
    workspace, head = open_head(repo)
    folder = workspace.repo
    before = GitTree(folder, base if base is not None else default_base(folder))
    return Session(
        workspace=workspace,
        base=load_repository(before),
        head=head,
        tree=WorkingTree(folder),
        commits=Commits(base=before.commit, head=resolve(folder, "HEAD")),
        dirty=is_dirty(folder, DECLARATIONS),
    )


def open_commits(repo: Path, base: str, head: str) -> Session:
    """Read both trees from git objects: the working folder, whose code runs, is neither.

    Raises:
        UserFileError: files of the head are wrong.
        UsageError: there is no such repository or commit.
    """
    folder = repo.resolve()
    before, after = GitTree(folder, base), GitTree(folder, head)
    return Session(
        workspace=Workspace(repo=folder),
        base=load_repository(before),
        head=load_repository(after),
        tree=after,
        commits=Commits(base=before.commit, head=after.commit),
        dirty=False,
    )
