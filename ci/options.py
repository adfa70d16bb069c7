"""What every command of ``acts`` shares: ``--repo``, ``--json``, and words that a terminal can't be tricked by."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dagster_project.domain.errors import UsageError
from dagster_project.domain.text import plain

SCHEMA_VERSION = 1
DECLARED = ("data_contracts", "models")
Command = Callable[..., Any]


def repo_option(command: Command) -> Command:
    """``--repo PATH``: the repository; where you stand unless given."""
    kind = click.Path(path_type=Path, file_okay=False)
    help_text = "Repository; default: where you stand, or the folder above that has contracts or models."
    return click.option("--repo", type=kind, default=nearest, help=help_text)(command)


def nearest() -> Path:
    """The folder where you stand or one above it, up to the top of its git repository, that declares something."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / name).is_dir() for name in DECLARED):
            return folder
        if (folder / ".git").exists():
            break
    return Path()


def json_option(command: Command) -> Command:
    """``--json``: the answer for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(command)


def repository(repo: Path) -> Path:
    """The folder, checked: it exists and declares something.

    Raises:
        UsageError: there is nothing to read.
    """
    folder = repo.resolve()
    if not folder.is_dir():
        raise UsageError(f"{folder}: there is no such folder. Name the repository with --repo.")
    if not any((folder / name).is_dir() for name in DECLARED):
        raise UsageError(f"{folder}: there is neither data_contracts/ nor models/. Name the repository with --repo.")
    return folder


def say(text: str, colour: str | None = None) -> None:
    """Print a line; colour on a terminal only."""
    shown = plain(text)
    coloured = colour and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    click.echo(click.style(shown, fg=colour) if coloured else shown)


def count(number: int, word: str) -> str:
    """``1 model``, ``2 models``."""
    return f"{number} {word}{'' if number == 1 else 's'}"
