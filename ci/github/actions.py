"""What a job of GitHub Actions is told by its environment, and how it answers."""

import os
from pathlib import Path

from ci.forge.github import API, GitHub
from ci.github.submission import Desk
from dagster_project.domain.errors import UsageError

TOKEN, REPOSITORY, ADDRESS = "GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_API_URL"


def open_desk(repo: Path) -> Desk:
    """The forge of this job's token, and the clone it works in.

    Raises:
        UsageError: a variable is missing.
    """
    token, repository = _needed(TOKEN), _needed(REPOSITORY)
    forge = GitHub.connect(repository, token, os.environ.get(ADDRESS) or API)
    return Desk(forge, repo.resolve(), token)


def shared_storage(*names: str) -> None:
    """Refuse to leave on a runner's disk, which is gone with the job, what others have to find.

    Raises:
        UsageError: a place is not set.
    """
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise UsageError(
            f"{', '.join(missing)}: not set. Set these variables of the repository to places that outlive a job, "
            "such as s3://bucket/store: see docs/github.md."
        )


def output(name: str, value: str) -> None:
    """An output of this step; on a terminal it is printed."""
    place = os.environ.get("GITHUB_OUTPUT")
    if not place:
        print(f"{name}={value}")
        return
    if "\n" in value:
        raise ValueError(f"{name}: an output is one line")
    with Path(place).open("a", encoding="utf-8") as file:
        file.write(f"{name}={value}\n")


def summarise(markdown: str) -> None:
    """Text on the run's page."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write(markdown)


def run_url() -> str:
    """Address of this job's run; empty outside of GitHub Actions."""
    server, run = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_RUN_ID")
    return f"{server}/{os.environ.get(REPOSITORY)}/actions/runs/{run}" if server and run else ""


def _needed(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise UsageError(f"{name} is not set. In a workflow, give the step a token; elsewhere, export it.")
    return value
