"""What was found, as remarks on lines of files. Pure."""

from collections.abc import Iterable

from ci.report.model import Report
from dagster_project.domain.errors import Problem
from dagster_project.domain.text import plain
from dagster_project.domain.verdict import Finding, Outcome

from .values import TITLE, Annotation, Level

#: GitHub takes at most 64 kB of message.
MESSAGE = 64_000
#: A stranger may plant as many problems as a file has lines; past these the report tells more than the diff.
MOST = 500
_LEVELS: dict[Outcome, Level] = {Outcome.FAILED: "failure", Outcome.BROKEN: "failure", Outcome.WARNED: "warning"}
_ORDER: tuple[Level, ...] = ("failure", "warning", "notice")


def of_report(report: Report) -> tuple[Annotation, ...]:
    """Everything in the report that has a file: failures first, then by place, each once, at most ``MOST``."""
    findings = [*(report.plan.findings if report.plan else ())]
    findings += [finding for build in report.builds for finding in build.findings]
    findings += [finding for verdict in report.verdicts for finding in verdict.findings]
    return annotations(report.problems, findings)


def annotations(problems: Iterable[Problem], findings: Iterable[Finding]) -> tuple[Annotation, ...]:
    """The same of problems and findings."""
    found = [of_problem(problem) for problem in problems]
    found += [note for note in map(of_finding, findings) if note is not None]
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda a: (_ORDER.index(a.level), a.path, a.start_line, a.title))[:MOST])


def of_problem(problem: Problem) -> Annotation:
    """What is wrong in a file, and what to do."""
    return _annotation(problem.file, problem.line, "failure", problem.where, (problem.message, problem.hint))


def of_finding(finding: Finding) -> Annotation | None:
    """None where there is nothing to say, or no file to say it at."""
    level = _LEVELS.get(finding.outcome)
    if level is None or not finding.file:
        return None
    return _annotation(finding.file, finding.line, level, finding.name, (finding.summary, finding.hint))


def _annotation(path: str, line: int | None, level: Level, title: str, words: Iterable[str]) -> Annotation:
    at = max(1, line or 1)
    message = "\n".join(plain(word) for word in words if word.strip()) or title or "see the report"
    short = " ".join(plain(title).split())[:TITLE]
    return Annotation(path=path, start_line=at, end_line=at, level=level, title=short, message=_cut(message))


def _cut(text: str) -> str:
    """At most ``MESSAGE`` bytes of UTF-8, never half a character."""
    data = text.encode()
    return text if len(data) <= MESSAGE else data[:MESSAGE].decode(errors="ignore") + "…"
