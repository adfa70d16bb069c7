"""``acts report``: show the last report again, in the form asked for, and exit as it ended."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ci.report.model import Report


@click.command("report")
@click.option(
    "--repo", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Repository; default: here."
)
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="A report's folder; default: the latest."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "markdown", "html", "json"]),
    default="terminal",
    help="What is printed; all four are written into the folder.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(repo: Path, folder: Path | None, form: str, as_json: bool) -> None:
    """Render a report; exit 0 passed, 1 a gate said no, 2 a file is wrong, 3 something did not run."""
    from ci.report.files import LATEST, load_report, write_report
    from dagster_project.domain.workspace import Workspace

    place = folder or Workspace(repo=repo.resolve()).reports / LATEST
    report = load_report(place)
    write_report(report, place)
    click.echo(_rendered(report, "json" if as_json else form), nl=False)
    sys.exit(report.exit_code)


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
            return as_terminal(report, colour=colour, width=_width())


def _width() -> int:
    import shutil

    return min(140, shutil.get_terminal_size((110, 24)).columns) if sys.stdout.isatty() else 110
