"""``acts report``: show the last report again, in the form asked for, and exit as it ended."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ci.options import json_option, repo_option
from dagster_project.domain.workspace import Workspace

if TYPE_CHECKING:
    from ci.report.model import Report

FORMS = ("terminal", "markdown", "html", "json")


@click.command("report")
@repo_option
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="A report's folder; default: latest.")
@click.option("--format", "form", type=click.Choice(FORMS), default="terminal", help="What is printed.")
@json_option
def command(repo: Path, folder: Path | None, form: str, as_json: bool) -> int:
    """Print a report and write all its forms; exit 0 passed, 1 a gate said no, 2 a file is wrong, 3 broken."""
    from ci.report.files import LATEST, load_report, write_report

    place = folder or Workspace(repo=repo.resolve()).reports / LATEST
    report = load_report(place)
    write_report(report, place)
    click.echo(_rendered(report, "json" if as_json else form), nl=False)
    return report.exit_code


def _rendered(report: "Report", form: str) -> str:
    from ci.report.files import as_html, as_markdown, as_terminal

    match form:
        case "markdown":
            return as_markdown(report)
        case "html":
            return as_html(report)
        case "json":
            return report.to_json()
        case _:
            colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
            width = min(140, shutil.get_terminal_size((110, 24)).columns) if sys.stdout.isatty() else 110
            return as_terminal(report, colour=colour, width=width)
