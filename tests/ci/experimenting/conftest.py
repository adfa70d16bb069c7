"""A repository whose main has a weak champion, copied for each test with its store, warehouse and ledgers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ci.experimenting.asking import BY_HAND
from ci.experimenting.bench import Bench, LocalBench
from ci.experimenting.challenge import Challenge
from ci.experimenting.local import LocalForge
from ci.experimenting.run import experiment
from ci.git import main_tip
from dagster_project.domain.build import BuildResult
from dagster_project.domain.experimenting import ExperimentRow
from dagster_project.domain.workspace import Workspace
from tests.ci import workbench
from tests.ci.workbench import MODEL, built_from, git, moved

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="package")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workbench.crowned(tmp_path_factory.mktemp("crowned"))


@pytest.fixture
def repo(crowned: Path, tmp_path: Path) -> Iterator[Path]:
    folder = moved(crowned, tmp_path / "repo")
    git(folder, "switch", "-q", "-c", "own-work")
    before = (git(folder, "rev-parse", "HEAD"), git(folder, "status", "--porcelain"))
    yield folder
    assert (git(folder, "rev-parse", "HEAD"), git(folder, "status", "--porcelain")) == before, "the working folder"


class QuickBench(LocalBench):
    """One fit of the head's spec, as the program would build it, without Dagster and Ray."""

    def build(self, tried: Challenge) -> BuildResult:
        """See ``Bench``."""
        return built_from(tried.session.workspace, tried.session.head)


def tried(repo: Path, now: datetime = NOW, bench: Bench | None = None) -> ExperimentRow:
    """An experiment on main's tip, asked for by hand."""
    forge = LocalForge(Workspace(repo=repo))
    return experiment(repo, main_tip(repo), MODEL, BY_HAND, now, forge, bench or QuickBench())


def on_main(repo: Path, files: dict[str, str]) -> str:
    """Commit files to main without touching the working folder; the commit."""
    from ci.experimenting.commits import commit_files, move_branch

    tip = main_tip(repo)
    made = commit_files(repo, tip, [tip], {path: text.encode() for path, text in files.items()}, "main moves\n", NOW)
    move_branch(repo, "main", made, tip)
    return made
