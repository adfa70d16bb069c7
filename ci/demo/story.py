"""Four acts of one team's year, each a pull request in a git repository of its own."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ci.demo import changes
from ci.demo.arrivals import EARLY, LATE, land
from ci.options import say
from dagster_project.domain.errors import PASSED, REFUSED, MachineryError
from dagster_project.domain.fingerprint import ROOT
from dagster_project.domain.workspace import Workspace

IGNORED = ".acts/\nlanding/\n"


@dataclass(frozen=True)
class Chapter:
    """One pull request: what it changes, and how it must end."""

    title: str
    branch: str
    change: Callable[[Path], None]
    exit_code: int
    moral: str


def play(home: Path) -> Path:
    """Play the story from its beginning in ``home``; the path of the last report.

    Raises:
        MachineryError: a chapter didn't end as it must.
    """
    started = time.perf_counter()
    repo = _fresh_repository(home)
    original = (ROOT / changes.SPEC).read_text()
    say(f"The months January to May have landed: {land(repo, EARLY):,} flights.\n")
    _chapter(repo, 1, FIRST)
    _chapter(repo, 2, _better(original))
    _chapter(repo, 3, BREAKING)
    say(f"\nThe months June to December land: {land(repo, LATE):,} flights.")
    _chapter(repo, 4, RECENT)
    report = Workspace(repo=repo).reports / "latest" / "report.html"
    say(f"\nThe story took {(time.perf_counter() - started) / 60:.1f} minutes.", "green")
    say(f"The last report: {report}")
    say("Lineage, runs, checks and plots: make ui")
    say(f"Serve the champion: acts deploy --repo {repo} && acts serve --repo {repo}")
    return report


def _chapter(repo: Path, number: int, chapter: Chapter) -> None:
    say(f"\n{'─' * 100}\n{number}. {chapter.title}\n{'─' * 100}", "cyan")
    _git(repo, "switch", "--quiet", "--create", chapter.branch)
    chapter.change(repo)
    _git(repo, "commit", "--quiet", "--all", "--message", chapter.title)
    say(f"$ acts pr --base main      (branch {chapter.branch})")
    code = _acts(repo, "pr", "--base", "main")
    if code != chapter.exit_code:
        raise MachineryError(f"the demo expected exit code {chapter.exit_code} of this pull request, and got {code}.")
    if code == PASSED:
        say(f"$ acts promote {changes.MODEL}")
        if _acts(repo, "promote", changes.MODEL) != PASSED:
            raise MachineryError("the demo could not promote what had passed.")
        _git(repo, "add", "--all")
        _git(repo, "commit", "--quiet", "--message", f"promote {changes.MODEL}")
        _git(repo, "switch", "--quiet", "main")
        _git(repo, "merge", "--quiet", "--no-ff", "--message", f"Merge {chapter.branch}", chapter.branch)
    say(chapter.moral, "green")
    _git(repo, "switch", "--quiet", "main")


def _fresh_repository(home: Path) -> Path:
    """A git repository with the contracts and models of this one, but no champions; an earlier demo's is replaced."""
    if home.exists():
        shutil.rmtree(home)
    home.mkdir(parents=True)
    shutil.copytree(ROOT / "data_contracts", home / "data_contracts")
    for path in ("models/floor.yaml", str(changes.SPEC)):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, home / path)
    (home / ".gitignore").write_text(IGNORED)
    spec = home / changes.SPEC
    kept = spec.read_text()
    spec.unlink()
    _git(home, "init", "--quiet", "--initial-branch", "main")
    _git(home, "add", "--all")
    _git(home, "commit", "--quiet", "--message", "Contracts of the flights, and the floor for models")
    spec.parent.mkdir(exist_ok=True)
    spec.write_text(kept)
    _git(home, "add", "--intent-to-add", str(changes.SPEC))
    return home


def _acts(repo: Path, *arguments: str) -> int:
    environment = {**os.environ, "ACTS_ENVIRONMENT": "demo", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "ci.main", *arguments, "--repo", str(repo)]
    return subprocess.run(command, env=environment, check=False).returncode


def _git(repo: Path, *arguments: str) -> None:
    author = ("-c", "user.name=Three Acts demo", "-c", "user.email=demo@example.invalid", "-c", "commit.gpgsign=false")
    answer = subprocess.run(["git", *author, *arguments], cwd=repo, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise MachineryError(f"git {arguments[0]}: {answer.stderr.strip()[:300]}")


FIRST = Chapter(
    title="A first champion, from what stands in the timetable",
    branch="first-model",
    change=changes.first_model,
    exit_code=PASSED,
    moral="A new model is judged by the floor and by its gates. It passed, the lock was reviewed: main has a champion.",
)
BREAKING = Chapter(
    title="A contract that breaks what models read",
    branch="rename-distance",
    change=changes.broken_contract,
    exit_code=REFUSED,
    moral="Refused in seconds, before anything was built: the version bump is missing, and a model reads the column.",
)
RECENT = Chapter(
    title="A model trained on the newest months alone",
    branch="recent-window",
    change=changes.recent_window,
    exit_code=REFUSED,
    moral="Newer is not better: on December's flights it does not beat the champion of January to March. Refused.",
)


def _better(original: str) -> Chapter:
    return Chapter(
        title="Weather, planes and trees: a better challenger",
        branch="better-model",
        change=lambda repo: changes.better_model(repo, original),
        exit_code=PASSED,
        moral="Better beyond chance on rows that nobody tuned on: the challenger is champion now.",
    )
