"""What a branch had before, from its own history."""

from pathlib import Path

import pytest

from ci.former import former_locks, has_returned
from ci.git import GitTree, WorkingTree
from dagster_project.domain.base import digest_of_bytes
from tests.ci.workbench import change, git, save

LOCK, SPEC = "models/tardy/champion.lock.yaml", "models/tardy/spec.yaml"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Main had two locks, one after the other; a merged branch had a third, which main never had."""
    git(tmp_path, "init", "-q", "-b", "main")
    for lock, spec in (("first", "a"), ("second", "b")):
        change(tmp_path, LOCK, lock)
        change(tmp_path, SPEC, spec)
        save(tmp_path, lock)
    git(tmp_path, "switch", "-q", "-c", "side")
    change(tmp_path, LOCK, "never")
    save(tmp_path, "never on main")
    change(tmp_path, LOCK, "second")
    change(tmp_path, "README.md", "x")
    save(tmp_path, "taken back")
    git(tmp_path, "switch", "-q", "main")
    git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge", "side")
    return tmp_path


def test_locks_of_the_branch_itself_are_known(repo: Path) -> None:
    known = former_locks(GitTree(repo, "main"), "tardy")
    assert known == tuple(digest_of_bytes(text) for text in (b"second", b"first"))


@pytest.mark.parametrize(
    ("lock", "spec", "returned"),
    [("first", "a", True), ("second", "b", True), ("first", "b", False), ("never", "b", False), ("first", "c", False)],
)
def test_a_folder_has_returned_only_as_a_whole(repo: Path, lock: str, spec: str, returned: bool) -> None:
    change(repo, LOCK, lock)
    change(repo, SPEC, spec)
    assert has_returned(GitTree(repo, "main"), WorkingTree(repo), "tardy", ()) is returned
    save(repo, "back")
    assert has_returned(GitTree(repo, "main^1"), GitTree(repo, "HEAD"), "tardy", ()) is returned


def test_a_folder_with_another_file_has_not_returned(repo: Path) -> None:
    change(repo, LOCK, "first")
    change(repo, SPEC, "a")
    change(repo, "models/tardy/architecture.py", "x")
    assert not has_returned(GitTree(repo, "main"), WorkingTree(repo), "tardy", ())


def test_a_folder_has_returned_only_to_the_data_that_it_was_judged_on(repo: Path) -> None:
    change(repo, LOCK, "first")
    change(repo, SPEC, "a")
    change(repo, "data_contracts/trips.sql", "SELECT 2")
    assert has_returned(GitTree(repo, "main"), WorkingTree(repo), "tardy", ("rides",))
    assert not has_returned(GitTree(repo, "main"), WorkingTree(repo), "tardy", ("rides", "trips"))
