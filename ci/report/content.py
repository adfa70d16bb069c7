"""Report -> Document: which parts there are, in which order, and what stays when space runs out."""

from dagster_project.domain.build import BuildResult
from dagster_project.domain.facts import Cost
from dagster_project.domain.gpu_words import gpu_line
from dagster_project.domain.plan import Change, PlanStep
from dagster_project.domain.verdict import Outcome

from .document import Document, FlowChart, Part, Table
from .model import Report, build_broke, facts_of, not_run
from .numbers import NOTHING, money, seconds, short
from .summary import attention, headline
from .verdict_parts import checks_part, finding_rows, verdict_part


def document(report: Report) -> Document:
    """Everything worth showing, verdict first; parts without content are left out."""
    findings, quiet = findings_part(report), not (report.plan and report.plan.refused)
    parts = (
        broken_part(report),
        problems_part(report),
        notes_part(report),
        *(() if quiet else (findings,)),
        attention_part(report),
        changes_part(report),
        plan_part(report),
        *((findings,) if quiet else ()),
        *(verdict_part(verdict, report.links) for verdict in report.verdicts),
        *(build_part(build) for build in report.builds),
        proposals_part(report),
        dagster_part(report),
        cost_part(report),
    )
    title = f"Three Acts report{f' on {report.repository}' if report.repository else ''}"
    return Document(title, report.ending, headline(report), facts(report), tuple(part for part in parts if part))


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """The few words below the headline."""
    pairs = [
        ("base", short(report.base) if report.base else ""),
        ("head", short(report.head) + (" with uncommitted changes" if report.dirty else "") if report.head else ""),
        ("time", seconds(sum(report.timings.values())) if report.timings else ""),
        ("cost", money(report.cost.amount, report.cost.currency) if report.cost else ""),
        ("made", f"{report.created:%Y-%m-%d %H:%M} {report.created.tzname() or ''}".strip()),
    ]
    return tuple((label, value) for label, value in pairs if value)


def broken_part(report: Report) -> Part:
    """What the machinery said, and which steps have no result."""
    missing = tuple(f"{step} has no result" for step in not_run(report)) if report.ending == "broken" else ()
    return Part("What broke", 0, bullets=report.broken + missing)


def problems_part(report: Report) -> Part:
    """Every problem in the user's files, with its place."""
    rows = tuple(
        (f"{p.file}:{p.line}" if p.line else p.file, p.where or NOTHING, p.message, p.hint) for p in report.problems
    )
    tables = (Table(("place", "where", "what is wrong", "what to do"), rows),) if rows else ()
    return Part("Problems in this pull request's files", 0, tables=tables)


def notes_part(report: Report) -> Part:
    """What whoever reads this has to do next."""
    return Part("What to do next", 0, bullets=report.notes)


def attention_part(report: Report) -> Part:
    """What a reviewer should look at."""
    return Part("What a reviewer should look at", 1, bullets=attention(report))


def findings_part(report: Report) -> Part:
    """What the plan found before anything was built: compatibility, version bumps, edited locks."""
    findings = report.plan.findings if report.plan else ()
    return checks_part("Before anything was built", findings, rank=1)


def build_part(build: BuildResult) -> Part:
    """A build that failed or warned; one that went well shows in its verdict."""
    rows = finding_rows(f for f in build.findings if f.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE))
    if build.outcome != "failed":
        rows = ()
    sentences = ("It stopped without naming a failed check: it crashed.",) if build_broke(build) and not rows else ()
    tables = (Table(("check", "outcome", "what was found"), rows),) if rows else ()
    return Part(f"Build of {build.kind} {build.name}", 1, sentences=sentences, tables=tables, mark=Outcome.FAILED)


def changes_part(report: Report) -> Part:
    """The semantic difference, and the lineage it touches."""
    changes = report.plan.changes if report.plan else ()
    rows = tuple(_change(change) for change in changes)
    columns = ("subject", "what changed", "consumers", "producer", "version", "effect", "place")
    tables = (Table(columns, rows),) if rows else ()
    return Part("What changed", 2, tables=tables, charts=lineage(report))


def _change(change: Change) -> tuple[str, ...]:
    place = f"{change.file}:{change.line}" if change.line else change.file
    what = f"{change.what} (loosens)" if change.loosens else change.what
    return (change.subject, what, change.consumer, change.producer, change.bump, change.effect, place)


def lineage(report: Report) -> tuple[FlowChart, ...]:
    """Which datasets and models read what the change touches."""
    if not report.lineage:
        return ()
    names = {node.name for node in report.lineage}
    touched = {step.name for step in report.plan.steps} if report.plan else set()
    nodes = tuple((node.name, node.kind, node.name in touched) for node in report.lineage)
    edges = tuple((source, node.name) for node in report.lineage for source in node.reads if source in names)
    return (FlowChart("Lineage", nodes, edges),)


def plan_part(report: Report) -> Part:
    """Each step and why it was taken."""
    if report.plan is None:
        return Part("Why it was rebuilt", 3)
    rows = tuple(_step(step, report) for step in report.plan.steps)
    priced = any(step.cost for step in report.plan.steps)
    columns = ("step", "why", "result", "time", "estimated", *(("cost, estimated",) if priced else ()))
    rows = tuple(
        (*row, step.cost.words if step.cost else NOTHING) if priced else row
        for row, step in zip(rows, report.plan.steps, strict=True)
    )
    table = Table(columns, rows, frozenset({3, 4}))
    sentences = () if rows else ("Nothing has to be built or judged for this change.",)
    title = "What will be done, and why" if report.pending else "What was done, and why"
    return Part(title, 3, sentences=sentences, tables=(table,) if rows else ())


def _step(step: PlanStep, report: Report) -> tuple[str, ...]:
    subject = (step.kind, step.name)
    builds = [b for b in report.builds if (b.kind, b.name) == subject and step.action == "build"]
    verdicts = [v for v in report.verdicts if (v.subject.kind, v.subject.name) == subject and step.action == "judge"]
    ended = [b.outcome for b in builds] + [v.outcome for v in verdicts]
    missing = "to come" if report.pending else "did not run"
    result = ended[0] if ended else ("reused" if step.reused else missing)
    took = seconds(builds[0].seconds) if builds else NOTHING
    return (f"{step.action} {step.name}", "; ".join(step.reasons), result, took, seconds(step.seconds))


def proposals_part(report: Report) -> Part:
    """The lock's diff: what a reviewer approves."""
    parts = tuple(Part(proposal.file, 1, diff=proposal.diff) for proposal in report.proposals)
    return Part("Champion lock proposed", 1, parts=parts)


def dagster_part(report: Report) -> Part:
    """Where the team's Dagster shows the builds and what was judged."""
    there = report.links.dagster
    runs = tuple((f"run that built {subject}", page) for subject, page in there.runs.items())
    assets = tuple((f"history of {subject}", page) for subject, page in there.assets.items())
    return Part("In Dagster", 2, pages=runs + assets)


def cost_part(report: Report) -> Part:
    """Where the time went, the whole first, then each build and judgement; and what compute cost."""
    rows = [("in all", step, seconds(spent)) for step, spent in report.timings.items()]
    for build in report.builds:
        rows += [(f"build {build.name}", stage, seconds(spent)) for stage, spent in build.stages.items()]
    for verdict in report.verdicts:
        stages = facts_of(verdict).timings.items()
        rows += [(f"judge {verdict.subject.name}", stage, seconds(spent)) for stage, spent in stages]
    costs = [("in all", report.cost)] if report.cost else []
    costs += [(v.subject.name, cost) for v in report.verdicts if (cost := facts_of(v).cost)]
    tables = (Table(("part", "stage", "time"), tuple(rows), frozenset({2})),) if rows else ()
    gpus = [f"{v.subject.name}: {gpu_line(gpu)}" for v in report.verdicts if (gpu := facts_of(v).gpu)]
    return Part("Cost and time", 4, sentences=(*(_cost(*pair) for pair in costs), *gpus), tables=tables)


def _cost(subject: str, cost: Cost) -> str:
    return f"{subject}: {money(cost.amount, cost.currency)}{f' ({cost.what})' if cost.what else ''}"
