"""Reports on disk: one folder a report, four renderings beside each other, ``latest`` points at the newest."""

import uuid
from pathlib import Path

from pydantic import ValidationError

from dagster_project.domain.errors import MachineryError, UsageError
from dagster_project.storage.files import read_optional, write_atomic

from . import markdown
from .content import document
from .model import Report
from .terminal import Terminal

JSON, MARKDOWN, TERMINAL, HTML = "report.json", "report.md", "report.txt", "report.html"
LATEST = "latest"


def as_markdown(report: Report) -> str:
    """The pull request's comment."""
    return markdown.render(document(report))


def as_terminal(report: Report, *, colour: bool = False, width: int = 110) -> str:
    """Plain text; ANSI colours only where asked for."""
    return Terminal(colour=colour, width=width).render(document(report))


def as_html(report: Report) -> str:
    """The self-contained page; needs Jinja2, which the pipeline extra brings."""
    from . import html

    return html.render(document(report))


def write_report(report: Report, folder: Path) -> Path:
    """Write all four renderings, each whole or not at all, JSON last; returns the page's path.

    Raises:
        MachineryError: the folder can't be written.
    """
    write_atomic(folder / HTML, as_html(report).encode())
    write_atomic(folder / MARKDOWN, as_markdown(report).encode())
    write_atomic(folder / TERMINAL, as_terminal(report).encode())
    write_atomic(folder / JSON, report.to_json().encode())
    return folder / HTML


def load_report(folder: Path) -> Report:
    """The report of a folder.

    Raises:
        UsageError: there is none.
        MachineryError: it is there and can't be read.
    """
    data = read_optional(folder / JSON)
    if data is None:
        raise UsageError(f"{folder}: no report here. Run `acts pr` first, or name another with --folder.")
    try:
        return Report.from_json(data)
    except ValidationError as error:
        raise MachineryError(f"{folder / JSON}: not a report of this version: {error}") from error


def mark_latest(folder: Path) -> None:
    """Let ``latest`` beside ``folder`` point at it, in one rename."""
    aside = folder.parent / f".{LATEST}.{uuid.uuid4().hex}"
    try:
        aside.symlink_to(folder.name, target_is_directory=True)
        aside.replace(folder.parent / LATEST)
    except OSError as error:
        raise MachineryError(f"{folder.parent / LATEST}: can't be pointed at {folder.name}: {error}") from error
    finally:
        aside.unlink(missing_ok=True)
