"""A year of flights, lived through again day by day: served, watched, and challenged by what the system proposes."""

import json
import shutil
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci.demo import changes
from ci.demo.arrivals import land
from ci.demo.replay import Replay
from ci.demo.server import call, serving
from ci.demo.stage import Chapter, ask_acts, fresh_repository, git, merge, play_chapter
from ci.options import say
from dagster_project.domain.errors import PASSED, REFUSED, MachineryError
from dagster_project.domain.fingerprint import ROOT
from dagster_project.domain.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

YEAR = 2013
WHOLE = range(1, 13)
TAUGHT = range(1, 4)
"""The months that have landed when the first champion is built."""
MONDAY = 0
DATASET = "departures"
FLUSH_SECONDS = 1.0
"""The server's log may wait so long before it is on the disk (serving.log.flush)."""


@dataclass
class Year:
    """What the year brought, for the closing words."""

    answers: int = 0
    labels: int = 0
    drifted: list[str] = field(default_factory=list)
    experiments: list[tuple[date, str]] = field(default_factory=list)


def play_year(home: Path, months: range = WHOLE) -> None:
    """Play the year in ``home``, or some months of it.

    Raises:
        MachineryError: a step didn't end as it must.
    """
    started = time.perf_counter()
    repo = fresh_repository(home)
    world = whole_year(home.with_name(f"{home.name}-world"))
    say(f"The months January to March have landed: {land(repo, TAUGHT):,} flights.\n")
    play_chapter(repo, 1, WATCHED)
    with serving(repo) as url:
        deploy(repo)
        replay = Replay(url, changes.MODEL, inputs_of(url), world)
        year = Year()
        for month in months:
            _month(repo, replay, month, year)
    if months == WHOLE:
        _check(year)
    changes.year_is_over(repo)
    git(repo, "commit", "--quiet", "--all", "--message", "The year is over: nothing is watched by itself any more")
    say(f"\n{year.answers:,} answers, {year.labels:,} labels, {len(year.experiments)} experiments.", "green")
    say(f"The year took {(time.perf_counter() - started) / 60:.1f} minutes.", "green")
    say(f"What watched it, day by day: make ui, or acts ui --repo {repo}")
    say(f"Serve what came of it: acts serve --repo {repo}")


def _check(year: Year) -> None:
    """The story is only told as it went.

    Raises:
        MachineryError: it went otherwise.
    """
    endings = {ending for _, ending in year.experiments}
    missing = [
        words
        for words, there in (
            ("a month in which inputs had drifted", year.drifted),
            ("an experiment that was refused", "refused" in endings),
            ("an experiment that was opened", "opened" in endings),
        )
        if not there
    ]
    if missing:
        raise MachineryError(f"the year passed without {', '.join(missing)}.")


def _month(repo: Path, replay: Replay, month: int, year: Year) -> None:
    """Its days one after another; then its files land, and an experiment may be due.

    The labels of each day are looked at, a week at once: a program is started for it.
    """
    seen = day = date(YEAR, month, 1)
    answers = labels = 0
    while day.month == month:
        asked, told = replay.play(day)
        answers, labels = answers + asked, labels + told
        day += timedelta(days=1)
        if day.weekday() == MONDAY or day.month != month:
            _look(repo, day, year, ("labels",), since=seen + timedelta(days=1))
            seen = day
    say(f"{date(YEAR, month, 1):%B}: {answers:,} flights were asked about, what became of {labels:,} is known.", "cyan")
    year.answers, year.labels = year.answers + answers, year.labels + labels
    _look(repo, day, year, ("performance", "drift", "explanations", "review"))
    if month not in TAUGHT:
        land(repo, range(month, month + 1))
        _experiment(repo, day, year)


def _look(repo: Path, day: date, year: Year, parts: tuple[str, ...], since: date | None = None) -> None:
    time.sleep(FLUSH_SECONDS)
    ask_acts(repo, "ingest", "--json")
    words = [word for part in parts for word in ("--part", part)]
    words += ["--now", str(day), "--since", str(since or day)]
    found = json.loads(ask_acts(repo, "monitor", changes.MODEL, "--json", *words, codes=(PASSED, REFUSED)))
    for look in found["looks"]:
        for finding in look["findings"]:
            if finding["outcome"] in ("warned", "failed"):
                say(f"  {look['part']}: {finding['summary']}", "yellow")
                if look["part"] == "drift":
                    year.drifted.append(f"{day}")


def _experiment(repo: Path, day: date, year: Year) -> None:
    told = ask_acts(repo, "experiment", "--json", "--now", str(day), codes=(PASSED, REFUSED))
    for row in json.loads(told)["experiments"]:
        year.experiments.append((day, row["ending"]))
        say(f"  experiment ({'; '.join(row['reasons'])}): {row['ending']}", "cyan")
        for line in row["words"]:
            say(f"    {line}")
        if row["ending"] in ("opened", "updated"):
            say("  Its reviewer merges it; the merge is deployed.")
            merge(repo, f"experiment/{changes.MODEL}")
            deploy(repo)


def whole_year(home: Path) -> "pl.DataFrame":
    """Every departure of the year as the dataset has it, of a repository beside the story's: the world plays it."""
    from dagster_project.data.datasets import read
    from dagster_project.data.records import current_snapshot

    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(ROOT / "data_contracts", home / "data_contracts")
    (home / "models").mkdir()
    shutil.copy(ROOT / "models/floor.yaml", home / "models/floor.yaml")
    ask_acts(home, "build", DATASET, files=False)
    snapshot = current_snapshot(DATASET, Workspace(repo=home))
    if snapshot is None:
        raise MachineryError(f"{home}: {DATASET} was built and is not there.")
    return read(snapshot).collect()


def deploy(repo: Path) -> None:
    """What main's locks say becomes what is served."""
    ask_acts(repo, "deploy", "--commit", "main")


def inputs_of(url: str) -> dict[str, str]:
    """The champion's inputs, with their datatypes."""
    found: dict[str, Any] = call(f"{url}/v2/models/{changes.MODEL}")
    return {entry["name"]: entry["datatype"] for entry in found["inputs"]}


WATCHED = Chapter(
    title="A first champion, watched from its first day",
    branch="first-model",
    change=changes.watched_model,
    exit_code=PASSED,
    moral="It passed, the lock was reviewed: main has a champion, and what it answers will be held against the truth.",
)
