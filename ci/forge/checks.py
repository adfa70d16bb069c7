"""Check runs: at most one of ours for each commit and name, with its annotations in batches."""

from collections.abc import Iterable, Sequence
from typing import Any

from . import reading
from .connection import Connection
from .values import Annotation, Check, CheckReport

#: As many annotations as GitHub takes in one request; a later one adds to them.
BATCH = 50


def checks(connection: Connection, head: str, name: str) -> tuple[Check, ...]:
    """Every check run of this name on the commit, whoever made it, the newest first."""
    return tuple(reading.check(found) for found in _named(connection, head, name))


def check(connection: Connection, report: CheckReport) -> Check:
    """Make our check run on ``report.head`` say this.

    Annotations that it has stay: GitHub can't take them back. None is added twice. A report with more than one batch
    is concluded by the last, so that nothing is concluded that isn't whole.
    """
    run = _ours(connection, report)
    if run is None:
        made = _create(connection, report)
        # Another writer may have made a newer one meanwhile: GitHub shows and asks the newest only.
        run = _ours(connection, report) or made
    *batches, last = _batches(_missing(report.annotations, run))
    for batch in batches:
        run.update(status="in_progress", output=_output(report, batch))
    if last or not _says(run, report):
        run.update(**_body(report, last))
    return reading.check_run(run)


def _create(connection: Connection, report: CheckReport) -> Any:
    first, whole = report.annotations[:BATCH], len(report.annotations) <= BATCH
    body = _body(report, first) if whole else {"status": "in_progress", "output": _output(report, first)}
    return connection.repository.create_check_run(report.name, report.head, **body)


def _named(connection: Connection, head: str, name: str) -> list[dict[str, Any]]:
    found = connection.pages("commits", head, "check-runs", key="check_runs", check_name=name, filter="all")
    return sorted((run for run in found if run["name"] == name), key=lambda run: -int(run["id"]))


def _ours(connection: Connection, report: CheckReport) -> Any:
    """github3.py's newest check run that our App made; None: there is none."""
    from github3.checks import CheckRun

    for found in _named(connection, report.head, report.name):
        if found["app"] and f"{found['app']['slug']}[bot]" == connection.identity:
            return CheckRun(found, connection.repository)
    return None


def _missing(wanted: Iterable[Annotation], run: Any) -> list[Annotation]:
    """Annotations that the run doesn't have yet."""
    there = {_key_there(note) for note in run.output.annotations()} if run.output.annotations_count else set()
    return [note for note in dict.fromkeys(wanted) if _key(note) not in there]


def _key(note: Annotation) -> tuple[Any, ...]:
    return (note.path, note.start_line, note.end_line, note.level, note.title, note.message)


def _key_there(note: Any) -> tuple[Any, ...]:
    return (note.path, note.start_line, note.end_line, note.annotation_level, note.title or "", note.message)


def _batches(notes: Sequence[Annotation]) -> list[Sequence[Annotation]]:
    """At least one, which may be empty."""
    return [notes[start : start + BATCH] for start in range(0, len(notes), BATCH)] or [[]]


def _says(run: Any, report: CheckReport) -> bool:
    """Whether the run says already what the report does. GitHub puts an address where none was given."""
    said = reading.check_run(run)
    output, url = run.output, run.as_dict()["details_url"]
    outcome = (said.status, said.conclusion, said.external_id, url if report.details_url else "")
    words = (output.title, output.summary, output.text or "")
    return (*outcome, *words) == (
        *(report.status, report.conclusion, report.external_id, report.details_url),
        *(report.title, report.summary, report.text),
    )


def _body(report: CheckReport, notes: Sequence[Annotation]) -> dict[str, Any]:
    """Arguments of github3.py's ``create_check_run`` and ``update``, which leave out what is None."""
    return {
        "status": report.status,
        "conclusion": report.conclusion,
        "external_id": report.external_id,
        "details_url": report.details_url or None,
        "output": _output(report, notes),
    }


def _output(report: CheckReport, notes: Sequence[Annotation]) -> dict[str, Any]:
    output: dict[str, Any] = {"title": report.title, "summary": report.summary, "text": report.text}
    return output | ({"annotations": [_annotation(note) for note in notes]} if notes else {})


def _annotation(note: Annotation) -> dict[str, Any]:
    place = {"path": note.path, "start_line": note.start_line, "end_line": note.end_line}
    title = {"title": note.title} if note.title else {}
    return {**place, **title, "annotation_level": note.level, "message": note.message}
