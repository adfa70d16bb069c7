"""The sentence a reviewer reads first, and what a reviewer should look at: derived from facts alone."""

from collections.abc import Iterator

from dagster_project.domain.facts import ColumnDifference, Facts
from dagster_project.domain.verdict import Finding, Outcome, Verdict

from .model import Report, build_broke, facts_of, not_run
from .numbers import gain, number, share

DOMINANT = 0.5
NAMED = 3


def headline(report: Report) -> str:
    """One sentence: how it ended and why."""
    return {
        "broken": _broken,
        "wrong": _wrong,
        "refused": _refused,
        "failed": _failed,
        "passed": _passed,
        "planned": _planned,
    }[report.ending](report)


def _broken(report: Report) -> str:
    plan = [f.name for f in report.plan.findings if f.outcome == Outcome.BROKEN] if report.plan else []
    verdicts = [_subject(v) for v in report.verdicts if v.outcome == "broken"]
    builds = [f"the build of {b.name}" for b in report.builds if build_broke(b)]
    what = _listed([*report.broken, *plan, *verdicts, *builds] or list(not_run(report)))
    return f"Broken: something did not run, so nothing has passed ({what})"


def _wrong(report: Report) -> str:
    files = len({problem.file for problem in report.problems})
    return (
        f"Not built: {_count(len(report.problems), 'problem')} in {_count(files, 'file')} of this pull request; "
        "each is listed with its line and what to do"
    )


def _refused(report: Report) -> str:
    findings = report.plan.findings if report.plan else ()
    said = [f.summary for f in findings if f.outcome == Outcome.FAILED]
    return f"Refused before anything was built: {_listed(said)}"


def _failed(report: Report) -> str:
    said = [f"{_subject(v)}: {_listed(_why(v))}" for v in report.verdicts if v.outcome == "failed"]
    said += [f"the build of {b.name}: {_listed(_names(b.findings))}" for b in report.builds if b.outcome == "failed"]
    return f"Failed: {_listed(said, '; ')}"


def _planned(report: Report) -> str:
    steps = report.plan.steps if report.plan else ()
    if not steps:
        return "Planned: this change needs nothing built and nothing judged"
    known = [step.seconds for step in steps if step.seconds is not None]
    cost = f", about {sum(known):.0f} s" if known else ""
    return f"Planned: {_count(len(steps), 'step')}{cost}; the results follow here"


def _passed(report: Report) -> str:
    if not report.verdicts:
        return "Passed: this change needs nothing built and nothing judged"
    said = [_praise(verdict, report) for verdict in report.verdicts]
    return f"Passed: {_listed(said, '; ')}"


def _praise(verdict: Verdict, report: Report) -> str:
    held = [f for f in verdict.findings if f.outcome in (Outcome.PASSED, Outcome.WARNED)]
    gates = sum(f.source == "gate" for f in held) or len(held)
    gains = [c for c in verdict.comparisons if c.rows == "holdout"]
    better = f", {gains[0].metric} {gain(gains[0])} against the champion" if gains else ""
    text = f"{_subject(verdict)} passed {_count(gates, 'gate' if verdict.subject.kind == 'model' else 'check')}{better}"
    if verdict.subject.name in {p.model for p in report.proposals}:
        return f"{text}; its champion lock is proposed below"
    if verdict.subject.kind == "model" and not verdict.promotable:
        why = [reason.rstrip(".") for reason in verdict.reasons]
        return f"{text}, but may not be promoted: {_listed(why, '; ') or 'see its part'}"
    return text


def _why(verdict: Verdict) -> list[str]:
    return _names(verdict.findings) or list(verdict.reasons)


def _names(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.name for finding in findings if finding.outcome == Outcome.FAILED]


def _subject(verdict: Verdict) -> str:
    return f"{verdict.subject.kind} {verdict.subject.name}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(items: list[str], between: str = ", ") -> str:
    shown = between.join(items[:NAMED])
    return shown if len(items) <= NAMED else f"{shown} and {len(items) - NAMED} more"


def attention(report: Report) -> tuple[str, ...]:
    """What a machine can't decide for the reviewer. Every line follows from a fact in the report."""
    notes = [*_about_plan(report)]
    if report.dirty:
        notes.append("Judged from a working folder with changes that are not committed: no commit holds these bytes.")
    for verdict in report.verdicts:
        subject = _subject(verdict)
        notes += [f"{subject}: {note}" for note in (*_about_verdict(verdict), *_about_facts(facts_of(verdict)))]
    return tuple(dict.fromkeys(notes))


def _about_plan(report: Report) -> Iterator[str]:
    if report.plan is None:
        return
    for dataset, models in sorted(report.plan.reached.items()):
        reaches = f"reaches {', '.join(models)}" if models else "reaches no model here"
        yield f"Breaking change of {dataset}: it {reaches}. Are its other consumers told?"
    for change in report.plan.changes:
        if change.loosens:
            yield f"{change.subject}: loosened ({change.what}). Judged by the base branch's version all the same."
        elif change.bump == "major" and change.subject not in report.plan.reached:
            yield f"{change.subject}: {change.what} asks for a major version."
        elif change.kind == "lock":
            yield f"{change.subject}: the champion lock changes ({change.what})."
    for finding in report.plan.findings:
        if finding.outcome == Outcome.WARNED:
            yield f"{finding.name}: {finding.summary}"


def _about_verdict(verdict: Verdict) -> Iterator[str]:
    if verdict.preview:
        yield "a preview: no trusted launcher vouches for the build, so it can't be promoted."
    for what in verdict.loosened:
        yield f"loosened: {what}. Loosening and promoting are two pull requests."
    for finding in verdict.findings:
        if finding.outcome == Outcome.WARNED:
            yield f"warning from {finding.name}: {finding.summary}"
    use = verdict.holdout
    if use and use.used >= 0.8 * use.judgements:
        left = max(0, use.judgements - use.used)
        yield f"the holdout is nearly spent: {left} of {use.judgements} judgements are left until new labels renew it."


def _about_facts(facts: Facts) -> Iterator[str]:
    if facts.family and facts.champion_family and facts.family != facts.champion_family:
        yield f"another kind of model: {facts.family} instead of {facts.champion_family}."
    shares = facts.importances.challenger if facts.importances else {}
    for column, value in shares.items():
        if value >= DOMINANT and len(shares) > 1:
            yield f"{column} alone carries {share(value)} of the importance: is it really known at prediction time?"
    failed = [trial for trial in facts.searched if trial.status == "failed"]
    if failed:
        yield f"{len(failed)} of {len(facts.searched)} trials failed: {failed[0].error or 'no reason given'}"
    if facts.difference:
        yield from _about_rows(facts)


def _about_rows(facts: Facts) -> Iterator[str]:
    difference = facts.difference
    assert difference is not None
    if difference.removed:
        yield f"{number(difference.removed)} rows of the base are gone."
    if difference.quarantined_after > (difference.quarantined_before or 0):
        before = number(difference.quarantined_before or 0)
        yield f"quarantined rows: {before} before, {number(difference.quarantined_after)} now."
    for column in difference.columns:
        yield from _about_column(column)


def _about_column(column: ColumnDifference) -> Iterator[str]:
    for words, categories in (("new", column.new_categories), ("lost", column.lost_categories)):
        if categories:
            yield f"{column.name}: {words} categories {_listed(list(categories))}."
