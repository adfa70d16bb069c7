"""What both stories are played with: a git repository of its own, its pull requests, and ``acts``."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.demo import changes
from ci.options import say
from dagster_project.domain.errors import PASSED, MachineryError
from dagster_project.domain.fingerprint import ROOT

IGNORED = ".acts/\nlanding/\n"
FILES = {"ACTS_ENVIRONMENT": "demo"}
"""The contracts' server of files that land; without it they read what the package bundles."""


@dataclass(frozen=True)
class Chapter:
    """One pull request: what it changes, and how it must end."""

    title: str
    branch: str
    change: Callable[[Path], None]
    exit_code: int
    moral: str


def play_chapter(repo: Path, number: int, chapter: Chapter, model: str = changes.MODEL) -> None:
    """Open the pull request; what passes is promoted and merged.

    Raises:
        MachineryError: it did not end as it must.
    """
    say(f"\n{'─' * 100}\n{number}. {chapter.title}\n{'─' * 100}", "cyan")
    git(repo, "switch", "--quiet", "--create", chapter.branch)
    chapter.change(repo)
    git(repo, "commit", "--quiet", "--all", "--message", chapter.title)
    say(f"$ acts pr --base main      (branch {chapter.branch})")
    code = run_acts(repo, "pr", "--base", "main")
    if code != chapter.exit_code:
        raise MachineryError(f"the demo expected exit code {chapter.exit_code} of this pull request, and got {code}.")
    if code == PASSED:
        say(f"$ acts promote {model}")
        if run_acts(repo, "promote", model) != PASSED:
            raise MachineryError("the demo could not promote what had passed.")
        git(repo, "add", "--all")
        git(repo, "commit", "--quiet", "--message", f"promote {model}")
        git(repo, "switch", "--quiet", "main")
        merge(repo, chapter.branch)
    say(chapter.moral, "green")
    git(repo, "switch", "--quiet", "main")


def fresh_repository(home: Path, source: Path = ROOT, spec: Path = changes.SPEC) -> Path:
    """A git repository on main with the contracts of ``source`` and our floor; an earlier demo's is replaced.

    The model's ``spec`` lies there and is not committed yet.
    """
    if home.exists():
        shutil.rmtree(home)
    home.mkdir(parents=True)
    shutil.copytree(source / "data_contracts", home / "data_contracts")
    (home / spec).parent.mkdir(parents=True)
    shutil.copy(ROOT / "models/floor.yaml", home / "models/floor.yaml")
    (home / ".gitignore").write_text(IGNORED)
    git(home, "init", "--quiet", "--initial-branch", "main")
    git(home, "add", "--all")
    git(home, "commit", "--quiet", "--message", "Contracts, and the floor for models")
    shutil.copy(source / spec, home / spec)
    git(home, "add", "--intent-to-add", str(spec))
    return home


def run_acts(repo: Path, *arguments: str) -> int:
    """Run ``acts`` before everybody's eyes; its exit code."""
    return subprocess.run(_command(repo, arguments), env={**os.environ, **_TOLD, **FILES}, check=False).returncode


def ask_acts(repo: Path, *arguments: str, codes: Sequence[int] = (PASSED,), files: bool = True) -> str:
    """What ``acts`` answers on stdout, and nothing else of it. ``files``: read what has landed.

    Raises:
        MachineryError: it ended with none of ``codes``; with its last words.
    """
    environment = {**os.environ, **_TOLD, **(FILES if files else {})}
    done = subprocess.run(_command(repo, arguments), env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        words = (done.stderr or done.stdout).strip()[-1500:]
        raise MachineryError(f"acts {' '.join(arguments)} ended with exit code {done.returncode}: {words}")
    return done.stdout


def merge(repo: Path, branch: str) -> None:
    """Merge a branch into main, which is where we are."""
    git(repo, "merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch)


def git(repo: Path, *arguments: str) -> None:
    """Run git as the demo.

    Raises:
        MachineryError: it refuses.
    """
    author = ("-c", "user.name=Three Acts demo", "-c", "user.email=demo@example.invalid", "-c", "commit.gpgsign=false")
    answer = subprocess.run(["git", *author, *arguments], cwd=repo, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise MachineryError(f"git {arguments[0]}: {answer.stderr.strip()[:300]}")


_TOLD = {"PYTHONUNBUFFERED": "1"}


def _command(repo: Path, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "ci.main", *arguments, "--repo", str(repo)]
