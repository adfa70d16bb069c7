"""``acts check``: every contract and spec, every problem at once. Needs no git, no account and the core alone."""

import json
from pathlib import Path
from typing import Any

import click

from ci.options import SCHEMA_VERSION, count, json_option, repo_option, repository, say
from dagster_project.domain.errors import PASSED, USER_ERROR, Problem
from dagster_project.domain.loading import read_repository
from dagster_project.domain.repository import Repository


@click.command("check")
@repo_option
@json_option
def command(repo: Path, as_json: bool) -> int:
    """Check every contract, spec, lock and the floor; exit 0 or 2."""
    from ci.git import WorkingTree

    reading = read_repository(WorkingTree(repository(repo)))
    problems = sorted(reading.problems, key=lambda p: (p.file, p.line or 0, p.where, p.message))
    if as_json:
        click.echo(json.dumps(_answer(reading.repository, problems), indent=2, sort_keys=True))
    else:
        _show(reading.repository, problems)
    return USER_ERROR if problems else PASSED


def _show(found: Repository, problems: list[Problem]) -> None:
    for problem in problems:
        say(str(problem), "red")
    if problems:
        files = len({problem.file for problem in problems})
        say(f"{count(len(problems), 'problem')} in {count(files, 'file')}.")
    else:
        what = f"{count(len(found.contracts), 'contract')}, {count(len(found.specs), 'model')}"
        say(f"All good: {what}, {count(len(found.locks), 'champion lock')}.", "green")


def _answer(found: Repository, problems: list[Problem]) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "outcome": "failed" if problems else "passed",
        "contracts": sorted(found.contracts),
        "models": sorted(found.specs),
        "problems": [_annotation(problem) for problem in problems],
    }


def _annotation(problem: Problem) -> dict[str, Any]:
    """A problem with what a check run's annotation needs beside it: level, title, first and last line."""
    return {
        **problem.model_dump(mode="json"),
        "level": "failure",
        "title": problem.where or problem.file,
        "start_line": problem.line or 1,
        "end_line": problem.line or 1,
    }
