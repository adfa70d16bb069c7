"""How a report is told on GitHub: one comment, one check a head, labels. What is told is pure; ``tell`` sends it."""

from ci.forge.annotations import of_report
from ci.forge.github import GitHub
from ci.forge.labels import OWNED, PREVIEW, wanted_labels
from ci.forge.values import TITLE, CheckReport, Conclusion
from ci.github.submission import Submission
from ci.report.content import document
from ci.report.markdown import MARKER, render
from ci.report.model import Ending, Report
from ci.report.summary import headline

CHECK = "Three Acts"
"""Name of the check. The ruleset asks for it from our App alone: a name can be had by anybody."""
COMMENT, SUMMARY = 65_000, 60_000
_CONCLUSIONS: dict[Ending, Conclusion] = {
    "passed": "success",
    "failed": "failure",
    "refused": "failure",
    "wrong": "failure",
    "broken": "action_required",
}
"""What is broken has not failed: it is to be run again."""


def conclusion(ending: Ending, preview: bool) -> Conclusion | None:
    """None: the steps have yet to run. A preview that passed still waits for a maintainer."""
    if ending == "planned":
        return None
    return "action_required" if preview and ending == "passed" else _CONCLUSIONS[ending]


def check_report(report: Report, head: str, run_url: str, preview: bool, external_id: str = "") -> CheckReport:
    """The check of one head. ``external_id`` is the digest of the outbox whose verdict it is."""
    found = conclusion(report.ending, preview)
    waiting = "Preview: " if preview and report.ending == "passed" else ""
    return CheckReport(
        name=CHECK,
        head=head,
        status="completed" if found else "in_progress",
        conclusion=found,
        title=_cut(f"{waiting}{headline(report)}", TITLE),
        summary=render(document(report), SUMMARY),
        annotations=of_report(report),
        external_id=external_id,
        details_url=run_url,
    )


def body(report: Report, page: str) -> str:
    """The comment's text. ``page``: address of the run that holds the report's artifact; empty: none does."""
    where = f"\n---\n[This run]({page}) holds the whole report, with every page, as its artifact `report`.\n"
    end = where if page else ""
    return render(document(report), COMMENT - len(end)) + end


def tell(
    forge: GitHub, submission: Submission, report: Report, preview: bool, external_id: str = "", page: str = ""
) -> bool:
    """Say it. The check belongs to the head whatever happened since; comment and labels to the newest head alone.

    False: a newer head came while they were written, so that its own may lie below them.
    """
    pull = submission.pull.number
    forge.check(check_report(report, submission.head, submission.run_url, preview, external_id))
    if forge.pull(pull).head != submission.head:
        return True
    forge.label(pull, OWNED, wanted_labels(report) | (frozenset({PREVIEW}) if preview else frozenset()))
    forge.say(pull, MARKER, body(report, page))
    return forge.pull(pull).head == submission.head


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
