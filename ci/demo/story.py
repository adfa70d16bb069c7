"""Four acts of one team's year, each a pull request in a git repository of its own."""

import time
from pathlib import Path

from ci.demo import changes
from ci.demo.arrivals import EARLY, LATE, land
from ci.demo.stage import Chapter, fresh_repository, play_chapter
from ci.options import say
from dagster_project.domain.errors import PASSED, REFUSED
from dagster_project.domain.fingerprint import ROOT
from dagster_project.domain.workspace import Workspace


def play(home: Path) -> Path:
    """Play the story from its beginning in ``home``; the path of the last report.

    Raises:
        MachineryError: a chapter didn't end as it must.
    """
    started = time.perf_counter()
    repo = fresh_repository(home)
    original = (ROOT / changes.SPEC).read_text()
    say(f"The months January to May have landed: {land(repo, EARLY):,} flights.\n")
    play_chapter(repo, 1, FIRST)
    play_chapter(repo, 2, _better(original))
    play_chapter(repo, 3, BREAKING)
    say(f"\nThe months June to December land: {land(repo, LATE):,} flights.")
    play_chapter(repo, 4, RECENT)
    report = Workspace(repo=repo).reports / "latest" / "report.html"
    say(f"\nThe story took {(time.perf_counter() - started) / 60:.1f} minutes.", "green")
    say(f"The last report: {report}")
    say("Lineage, runs, checks and plots: make ui")
    say(f"Serve the champion: acts deploy --repo {repo} && acts serve --repo {repo}")
    return report


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
