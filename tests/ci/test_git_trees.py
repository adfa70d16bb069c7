"""Git as the plan sees it: real repositories in temporary folders, with everything that names may do to us."""

import os
import subprocess
from pathlib import Path

import pytest

from ci.git import GitTree, WorkingTree, default_base, differs, is_dirty, resolve
from dagster_project.domain.errors import UsageError, UserFileError


def git(repo: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    environment = {"PATH": os.environ["PATH"], "HOME": str(repo.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *identity, *arguments], cwd=repo, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / "models" / "tardy").mkdir(parents=True)
    (folder / "models" / "tardy" / "spec.yaml").write_text("one: 1\n")
    (folder / "models" / "é t.yaml").write_text("two: 2\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_commit_is_read_from_git_objects_whatever_lies_in_the_folder(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    (repo / "models" / "tardy" / "spec.yaml").write_text("one: 2\n")
    tree = GitTree(repo, "main")
    assert tree.name == first
    assert tree.paths("models") == ["models/tardy/spec.yaml", "models/é t.yaml"]
    assert tree.paths("model") == []
    assert tree.read("models/tardy/spec.yaml") == b"one: 1\n"
    assert tree.read("models/é t.yaml") == b"two: 2\n"
    with pytest.raises(FileNotFoundError):
        tree.read("models/none.yaml")
    assert WorkingTree(repo).read("models/tardy/spec.yaml") == b"one: 2\n"


def test_files_without_a_final_newline_and_empty_ones_come_whole(repo: Path) -> None:
    contents = {"a": b"", "b": b"x", "c": b"\n\n", "d": bytes(range(256))}
    for name, content in contents.items():
        (repo / "models" / name).write_bytes(content)
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "more")
    tree = GitTree(repo, "HEAD")
    tree.paths("models")
    assert {name: tree.read(f"models/{name}") for name in contents} == contents


def test_links_are_named_not_followed(repo: Path) -> None:
    secret = repo.parent / "secret.yaml"
    secret.write_text("secret: 1\n")
    (repo / "models" / "floor.yaml").symlink_to(secret)
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "link")
    for tree in (GitTree(repo, "HEAD"), WorkingTree(repo)):
        assert "models/floor.yaml" in tree.paths("models")
        with pytest.raises(UserFileError, match="links are not followed"):
            tree.read("models/floor.yaml")


def test_giants_are_refused_unread(repo: Path) -> None:
    (repo / "models" / "giant.yaml").write_bytes(b"x" * 4_000_001)
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "giant")
    for tree in (GitTree(repo, "HEAD"), WorkingTree(repo)):
        tree.paths("models")
        with pytest.raises(UserFileError, match="4,000,001 bytes"):
            tree.read("models/giant.yaml")
        assert tree.read("models/tardy/spec.yaml") == b"one: 1\n"


@pytest.mark.parametrize("revision", ["--output=pwned", "-h", "", "main\nmain", "none", "main:models", "main..main"])
def test_no_revision_becomes_an_option_or_a_surprise(repo: Path, revision: str) -> None:
    with pytest.raises(UsageError):
        resolve(repo, revision)
    assert not (repo / "pwned").exists()


def test_bases(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    assert default_base(repo) == first
    git(repo, "checkout", "-qb", "branch")
    (repo / "models" / "tardy" / "spec.yaml").write_text("one: 3\n")
    assert is_dirty(repo)
    assert differs(repo, first, None, "models")
    assert not differs(repo, first, None, "data_contracts")
    git(repo, "commit", "-qam", "second")
    assert not is_dirty(repo)
    second = git(repo, "rev-parse", "HEAD")
    assert default_base(repo) == first
    assert differs(repo, first, second, "models")
    git(repo, "checkout", "-q", "--orphan", "other")
    git(repo, "commit", "-qm", "elsewhere")
    assert default_base(repo) == git(repo, "rev-parse", "HEAD")


def test_a_branch_named_like_an_option_or_a_file_does_no_harm(repo: Path) -> None:
    git(repo, "update-ref", "refs/heads/models", "HEAD")
    assert GitTree(repo, "models").paths("models")
    git(repo, "update-ref", "refs/heads/--output=x", "HEAD")
    with pytest.raises(UsageError):
        GitTree(repo, "--output=x")


def test_nothing_of_the_repository_is_run(repo: Path) -> None:
    marker = repo.parent / "ran"
    for name in ("post-checkout", "fsmonitor", "pre-commit"):
        hook = repo / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)
    git(repo, "config", "core.fsmonitor", str(repo / ".git" / "hooks" / "fsmonitor"))
    git(repo, "config", "diff.external", str(repo / ".git" / "hooks" / "fsmonitor"))
    (repo / "models" / "tardy" / "spec.yaml").write_text("one: 9\n")
    assert is_dirty(repo)
    assert differs(repo, resolve(repo, "main"), None, "models")
    GitTree(repo, "main").read("models/tardy/spec.yaml")
    assert not marker.exists()


def test_an_inherited_git_dir_points_nowhere(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(repo.parent / "elsewhere"))
    assert GitTree(repo, "main").paths("models")


def test_a_folder_outside_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a git repository"):
        resolve(tmp_path, "main")


def test_a_repository_in_a_folder_of_another_is_served_from_there(tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    (outer / "inner" / "models").mkdir(parents=True)
    (outer / "inner" / "models" / "floor.yaml").write_text("x: 1\n")
    git(outer, "init", "-q", "-b", "main")
    git(outer, "add", ".")
    git(outer, "commit", "-qm", "first")
    assert GitTree(outer / "inner", "main").paths("models") == ["models/floor.yaml"]
    assert GitTree(outer / "inner", "main").read("models/floor.yaml") == b"x: 1\n"
