"""The part of the report that one verdict fills: comparison, gates, checks, what the data became, charts."""

import json
from collections.abc import Iterable, Sequence

from dagster_project.domain.facts import DatasetDifference, Facts
from dagster_project.domain.verdict import Finding, Measurement, Outcome, Verdict

from .charts import charts_for
from .document import Cell, Part, Table
from .headroom_part import headroom_part
from .model import Links, facts_of
from .numbers import NOTHING, gain, interval, number, share, short

LOUD = (Outcome.BROKEN, Outcome.FAILED, Outcome.WARNED)
MARKS = {"passed": Outcome.PASSED, "failed": Outcome.FAILED, "broken": Outcome.BROKEN}
LEFT_OUT = (
    "deepchecks' BoostingOverfit needs the trained object, which judge never loads: it is the one check left out."
)


def verdict_part(verdict: Verdict, links: Links) -> Part:
    """A verdict with its evidence, the most decisive first."""
    facts = facts_of(verdict)
    dataset = verdict.subject.kind == "dataset"
    gates = tuple(f for f in verdict.findings if f.source == "gate")
    checks = tuple(f for f in verdict.findings if f.source != "gate")
    slices = [m for m in verdict.measurements if m.slice is not None]
    parts = (
        comparison_part(verdict, facts),
        gates_part(gates),
        difference_part(facts.difference),
        checks_part("Data checks" if dataset else "Data and model checks", checks, rank=2, note=_left_out(checks)),
        headroom_part(facts.headroom),
        charts_part(facts, slices, verdict.measurements),
        slices_part(slices),
        errors_part(facts),
        trials_part(facts),
        files_part(verdict, links),
    )
    title = f"{verdict.subject.kind.capitalize()} {verdict.subject.name}"
    said = {f"{finding.name}: {finding.summary}" for finding in verdict.findings}  # the tables below say these
    sentences = (*_sentences(verdict, facts), *(reason for reason in verdict.reasons if reason not in said))
    return Part(title, 0, sentences=sentences, parts=tuple(part for part in parts if part), mark=MARKS[verdict.outcome])


def _sentences(verdict: Verdict, facts: Facts) -> Iterable[str]:
    if facts.family:
        parameters = ", ".join(f"{name} {_value(value)}" for name, value in sorted(facts.parameters.items()))
        yield f"{facts.family}{f' with {parameters}' if parameters else ''}."
    if facts.rows:
        yield f"Rows: {', '.join(f'{number(count)} {part}' for part, count in facts.rows.items())}."
    use = verdict.holdout
    if use:
        took = "this judgement took one" if use.counted else "this judgement took none"
        yield (
            f"Holdout: {number(use.rows)} rows, {use.used} of {use.judgements} judgements used ({took}), "
            f"each at significance {use.significance:.4g}."
        )
    if verdict.subject.kind == "model" and verdict.outcome == "passed":
        yield "It may be promoted." if verdict.promotable else "It may not be promoted."


def _value(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


def comparison_part(verdict: Verdict, facts: Facts) -> Part:
    """Champion and challenger on validation rows with intervals; from the holdout the rounded gain alone."""
    whole = (m for m in verdict.measurements if m.slice is None and m.rows == "validation")
    challenger = {f"{m.metric}: {m.against}" if m.against else m.metric: m for m in whole}
    champion = {m.metric: m for m in facts.champion if m.slice is None and m.rows == "validation"}
    gains = {(c.rows, c.metric): c for c in verdict.comparisons}
    metrics = dict.fromkeys([*challenger, *champion, *(c.metric for c in verdict.comparisons)])
    rows = tuple(
        (
            metric,
            interval(challenger[metric]) if metric in challenger else NOTHING,
            interval(champion[metric]) if metric in champion else NOTHING,
            *(gain(gains[part, metric]) if (part, metric) in gains else NOTHING for part in ("validation", "holdout")),
        )
        for metric in metrics
    )
    if not rows:
        return Part("", 1)
    sure = {m.confidence for m in (*challenger.values(), *champion.values()) if m.confidence}
    level = f"{100 * sure.pop():g} %" if len(sure) == 1 else "interval"
    columns = ("metric", f"challenger ({level})", f"champion ({level})", "gain, validation", "gain, holdout")
    shown = [0, 1, *(i for i in (2, 3, 4) if any(row[i] != NOTHING for row in rows))]
    table = Table(
        tuple(columns[i] for i in shown), tuple(tuple(row[i] for i in shown) for row in rows), frozenset(range(1, 5))
    )
    if len(shown) == 2:
        return Part("Challenger", 1, sentences=("Validation rows. There is no champion yet.",), tables=(table,))
    said = "Values are from validation rows; a positive gain is better, ± one standard error. "
    holdout = "The holdout shows gains rounded to their standard error and nothing else."
    return Part("Challenger against champion", 1, sentences=(said + holdout,), tables=(table,))


def gates_part(gates: Sequence[Finding]) -> Part:
    """Every gate, those that said no first."""
    ranked = sorted(gates, key=lambda f: LOUD.index(f.outcome) if f.outcome in LOUD else len(LOUD))
    rows = tuple(
        (f.name, f.outcome, f.rows or NOTHING, f.value or NOTHING, f.bound or NOTHING, _found(f)) for f in ranked
    )
    columns = ("gate", "outcome", "rows", "value", "bound", "what was found")
    return Part("Gates", 1, tables=(Table(columns, rows, frozenset({3, 4})),) if rows else ())


def _found(finding: Finding) -> str:
    return f"{finding.summary} {finding.hint}".strip()


def finding_rows(findings: Iterable[Finding]) -> tuple[tuple[Cell, ...], ...]:
    """Name, outcome and what was found, with its place."""
    return tuple((f.name, f.outcome, f"{_found(f)}{_place(f)}") for f in findings)


def _place(finding: Finding) -> str:
    if finding.file is None:
        return ""
    return f" ({finding.file}:{finding.line})" if finding.line else f" ({finding.file})"


def checks_part(title: str, findings: Sequence[Finding], rank: int, note: tuple[str, ...] = ()) -> Part:
    """Failed, broken and warned in full; passed and not applicable folded."""
    columns = ("check", "outcome", "what was found")
    loud = sorted((f for f in findings if f.outcome in LOUD), key=lambda f: LOUD.index(f.outcome))
    passed = [f for f in findings if f.outcome == Outcome.PASSED]
    absent = [f for f in findings if f.outcome == Outcome.NOT_APPLICABLE]
    folded = tuple(
        Part(f"{len(some)} {words}", 5, tables=(Table(columns, finding_rows(some)),), folded=True)
        for some, words in ((passed, "passed"), (absent, "not applicable, each with its reason"))
        if some
    )
    table = (Table(columns, finding_rows(loud)),) if loud else ()
    quiet = ("Nothing failed and nothing warned.",) if findings and not loud else ()
    return Part(title, rank, sentences=quiet + note, tables=table, parts=folded)


def _left_out(checks: Sequence[Finding]) -> tuple[str, ...]:
    ran = any(f.suite == "model_evaluation" for f in checks)
    named = any("boostingoverfit" in f.name.replace(" ", "").lower() for f in checks)
    return (LEFT_OUT,) if ran and not named else ()


def difference_part(difference: DatasetDifference | None) -> Part:
    """What the change does to the dataset's rows and columns."""
    if difference is None:
        return Part("", 1)
    before, after = difference.rows_before, difference.rows_after
    rows = [
        ("rows", number(before), number(after)),
        ("quarantined", number(difference.quarantined_before), number(difference.quarantined_after)),
        ("rows that the base did not have", NOTHING, number(difference.added)),
        ("rows of the base that are gone", number(difference.removed), NOTHING),
    ]
    counts = Table(("", "base", "this change"), tuple(rows), frozenset({1, 2}))
    columns = tuple((c.name, c.what, share(c.nulls_before), share(c.nulls_after)) for c in difference.columns)
    names = ("column", "difference", "missing, base", "missing, this change")
    tables = (counts, Table(names, columns, frozenset({2, 3}))) if columns else (counts,)
    return Part("What the change does to the rows", 1, tables=tables)


def charts_part(facts: Facts, slices: Sequence[Measurement], whole: Sequence[Measurement]) -> Part:
    """Every chart there is data for."""
    return Part("Charts", 6, charts=charts_for(facts, slices, whole))


def errors_part(facts: Facts) -> Part:
    """The answers that were farthest from what happened, and the columns that led there."""
    rows = tuple(
        (
            error.row_id,
            error.said,
            error.truth,
            "; ".join(f"{each.column} {each.value} ({each.added:+.3f})" for each in error.contributions),
        )
        for error in facts.errors
    )
    columns = ("row", "said", "was", "because of (what each added to the answer)")
    told = "Validation rows on which the challenger was farthest from the truth."
    return Part(
        "Worst errors, explained", 4, sentences=(told,) if rows else (), tables=(Table(columns, rows),) if rows else ()
    )


def slices_part(slices: Sequence[Measurement]) -> Part:
    """Validation rows, slice by slice."""
    rows = tuple((m.metric, m.slice or "", interval(m), number(m.count)) for m in slices)
    table = Table(("metric", "slice", "value (interval)", "rows"), rows, frozenset({2, 3}))
    return Part(f"{len(rows)} slices of the validation rows", 5, tables=(table,) if rows else (), folded=True)


def trials_part(facts: Facts) -> Part:
    """Every trial of the search, failed ones with their reason."""
    rows = tuple(
        (
            str(t.number),
            t.family,
            ", ".join(f"{name} {_value(value)}" for name, value in sorted(t.parameters.items())),
            f"{t.status}: {t.error}" if t.error else t.status,
            number(t.value),
            f"{t.seconds:.1f} s",
        )
        for t in facts.trials
    )
    columns = ("trial", "family", "parameters", "status", facts.search_metric or "value", "time")
    table = Table(columns, rows, frozenset({0, 4, 5}))
    return Part(f"{len(rows)} trials of the search", 5, tables=(table,) if rows else (), folded=True)


def files_part(verdict: Verdict, links: Links) -> Part:
    """Digests of what was judged, and the pages beside the report."""
    names = (("challenger's ONNX file", verdict.challenger_onnx), ("bundle", verdict.challenger))
    more = (("champion's ONNX file", verdict.champion), ("snapshot", verdict.snapshot), ("spec", verdict.spec))
    commits = (("judged by the rules of", verdict.base), ("commit judged", verdict.head))
    rows = tuple((what, short(digest)) for what, digest in (*names, *more, *commits) if digest)
    pages = links.suites.get(f"{verdict.subject.kind} {verdict.subject.name}", {})
    suites = tuple((f"deepchecks {suite.replace('_', ' ')}", path) for suite, path in pages.items())
    if verdict.subject.name in links.bundles:
        rows += (("bundle kept at", links.bundles[verdict.subject.name]),)
    table = Table(("what", "digest or place"), rows)
    return Part("What was judged", 5, tables=(table,) if rows else (), links=suites, folded=True)
