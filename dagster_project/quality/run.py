"""Running checks: each ends as a Finding, whatever happens in it."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.quality.catalogue import ALONE, COSTS, reason_for
from dagster_project.quality.library import load, quiet
from dagster_project.quality.page import Displays, fragment
from dagster_project.quality.plan import Check
from dagster_project.quality.sidebyside import Lost, run_all

_WORST_FIRST = (Outcome.BROKEN, Outcome.FAILED, Outcome.WARNED, Outcome.PASSED)
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Job:
    """One check on one set of rows. ``context``: a ``deepchecks.tabular.Context``; ``kind``: None compares both."""

    check: Check
    context: Any
    kind: Any
    rows: str
    title: str


@dataclass(frozen=True)
class Ran:
    """What came of a job: the finding, and its part of the suite's page."""

    finding: Finding
    html: str


def run_jobs(jobs: Sequence[Job], processes: int, displays: Displays) -> list[Ran]:
    """In the jobs' order. The longest start first; a clock runs alone before the others."""
    alone = [job for job in jobs if job.check.name in ALONE]
    rest = sorted((job for job in jobs if job.check.name not in ALONE), key=lambda job: -COSTS.get(job.check.name, 0.0))
    tasks: list[Callable[[], Ran]] = [partial(_run, job, displays) for job in rest]
    answers = run_all([partial(_run, job, displays) for job in alone], 1) + run_all(tasks, processes)
    by_job = {
        id(job): _lost(job, answer) if isinstance(answer, Lost) else answer
        for job, answer in zip(alone + rest, answers, strict=True)
    }
    return [by_job[id(job)] for job in jobs]


def _run(job: Job, displays: Displays) -> Ran:
    started = time.perf_counter()
    result = None
    try:
        with quiet():
            result = _result(job)
            finding = _judged(job, result.conditions_results)
            html = fragment(finding, result.display, displays)
    except Exception as error:  # noqa: BLE001 - a check that did not run has not passed: it is broken
        finding = _did_not_run(job, error)
        html = fragment(finding, [], displays)
    seconds = round(time.perf_counter() - started, 3)
    return Ran(finding.model_copy(update={"details": {**finding.details, "seconds": seconds}}), html)


def _result(job: Job) -> Any:
    check = job.check.library
    result = check.run_logic(job.context) if job.kind is None else check.run_logic(job.context, job.kind)
    job.context.finalize_check_result(result, check, job.kind)
    return result


def _judged(job: Job, conditions: Sequence[Any]) -> Finding:
    """The worst condition decides."""
    graded = [
        (_outcome(condition.category.name, severity), condition)
        for condition, severity in zip(conditions, job.check.severities, strict=True)
    ]
    if not graded:
        return _finding(job, Outcome.PASSED, "ran; no condition is set on it")
    outcome, worst = min(graded, key=lambda pair: _WORST_FIRST.index(pair[0]))
    details = [
        {"condition": text(condition.name), "outcome": str(grade), "details": text(condition.details)}
        for grade, condition in graded
    ]
    finding = _finding(job, outcome, text(worst.details) or text(worst.name))
    return finding.model_copy(update={"bound": text(worst.name), "details": {"conditions": details}})


def _outcome(category: str, severity: str) -> Outcome:
    failing = Outcome.WARNED if severity == "warning" else Outcome.FAILED
    return {"PASS": Outcome.PASSED, "WARN": Outcome.WARNED, "FAIL": failing}.get(category, Outcome.BROKEN)


def _did_not_run(job: Job, error: Exception) -> Finding:
    message = text(str(error))
    reason = reason_for(job.check.name, message) if isinstance(error, _base_error()) else None
    if reason is not None:
        return _finding(job, Outcome.NOT_APPLICABLE, reason)
    finding = _finding(job, Outcome.BROKEN, f"did not run: {type(error).__name__}: {message}"[:600])
    return finding.model_copy(
        update={"hint": "A check that did not run has not passed; mend the cause and judge again."}
    )


def _lost(job: Job, lost: Lost[Any]) -> Ran:
    finding = _finding(job, Outcome.BROKEN, f"did not run: its process ended with exit code {lost.exit_code}")
    return Ran(finding, fragment(finding, [], "none"))


def _finding(job: Job, outcome: Outcome, summary: str) -> Finding:
    return Finding(
        name=job.title, source="deepchecks", outcome=outcome, summary=summary, suite=job.check.suite, rows=job.rows
    )


def _base_error() -> Any:
    load()
    from deepchecks.core.errors import DeepchecksBaseError

    return DeepchecksBaseError


def text(html: str) -> str:
    """Without tags, on one line, at most 600 characters."""
    line = " ".join(_TAG.sub(" ", html).split())
    return line if len(line) <= 600 else line[:597] + "..."
