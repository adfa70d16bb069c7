"""The report as data: everything the renderings show, and the one exit code."""

from collections.abc import Iterable
from datetime import datetime
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from dagster_project.domain.base import StrictModel
from dagster_project.domain.build import BuildResult
from dagster_project.domain.dagster_ui import ADDRESS, asset_url, judged_path, run_url
from dagster_project.domain.errors import BROKEN, PASSED, REFUSED, USER_ERROR, MachineryError, Problem
from dagster_project.domain.facts import Cost, Facts
from dagster_project.domain.plan import Plan
from dagster_project.domain.repository import Repository
from dagster_project.domain.verdict import Comparison, Finding, Outcome, Verdict

from .numbers import gain, rounded

Ending = Literal["planned", "passed", "failed", "refused", "wrong", "broken"]
EXIT_CODES: dict[Ending, int] = {
    "planned": PASSED,
    "passed": PASSED,
    "failed": REFUSED,
    "refused": REFUSED,
    "wrong": USER_ERROR,
    "broken": BROKEN,
}


class Proposal(StrictModel):
    """A lock that ``acts promote`` would write, as a unified diff."""

    model: str
    file: str
    diff: str


class Node(StrictModel):
    """A dataset or model of the lineage, and what it reads."""

    name: str
    kind: Literal["dataset", "model"]
    reads: tuple[str, ...] = ()


Address = Annotated[str, Field(pattern=ADDRESS)]


class InDagster(StrictModel):
    """Pages of the team's Dagster UI, by ``model NAME`` or ``dataset NAME``."""

    runs: dict[str, Address] = Field(default_factory=dict, description="the run of its build")
    assets: dict[str, Address] = Field(default_factory=dict, description="the asset that its verdict is about")

    @classmethod
    def of(cls, ui: str | None, builds: Iterable[BuildResult], verdicts: Iterable[Verdict]) -> "InDagster":
        """Pages of what is there: runs that were written to the shared Dagster, and verdicts. ``ui`` None: no page."""
        if ui is None:
            return cls()
        runs = {f"{b.kind} {b.name}": run_url(ui, b.run) for b in builds if b.run and b.shared}
        subjects = [verdict.subject for verdict in verdicts]
        return cls(
            runs=runs, assets={f"{s.kind} {s.name}": asset_url(ui, judged_path(s.kind, s.name)) for s in subjects}
        )


class Links(StrictModel):
    """Paths beside the report, relative to its folder, by label; and pages elsewhere."""

    html: str = "report.html"
    bundles: dict[str, str] = Field(default_factory=dict, description="model -> folder or URI")
    suites: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="'model NAME' or 'dataset NAME' -> suite -> deepchecks' own HTML page"
    )
    dagster: InDagster = InDagster()


class Report(StrictModel):
    """What one pull request asked for and what came of it.

    Detail of the holdout is taken out on the way in, so that no rendering, JSON included, can show it.
    """

    schema_version: Literal[1] = 1
    created: datetime
    repository: str = ""
    base: str | None = None
    head: str | None = None
    dirty: bool = False
    pending: bool = Field(default=False, description="the plan's steps have yet to run")
    notes: tuple[str, ...] = Field(default=(), description="what to do next")
    plan: Plan | None = None
    builds: tuple[BuildResult, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: tuple[str, ...] = Field(default=(), description="what the machinery said when it broke")
    proposals: tuple[Proposal, ...] = ()
    lineage: tuple[Node, ...] = ()
    timings: dict[str, float] = Field(default_factory=dict, description="step -> seconds")
    cost: Cost | None = None
    links: Links = Links()

    @field_validator("verdicts")
    @classmethod
    def _without_holdout_detail(cls, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
        return tuple(shown(verdict) for verdict in verdicts)

    @property
    def ending(self) -> Ending:
        """The worst of everything in the report."""
        return ending_of(self)

    @property
    def exit_code(self) -> int:
        """0 passed, 1 a gate said no, 2 a file is wrong, 3 something did not run."""
        return EXIT_CODES[self.ending]


def ending_of(report: Report) -> Ending:
    """Broken before wrong before refused before failed; what did not run has not passed."""
    if report.broken or _something_broke(report):
        return "broken"
    if report.problems:
        return "wrong"
    if report.plan and report.plan.refused:
        return "refused"
    if any(v.outcome == "failed" for v in report.verdicts) or any(b.outcome == "failed" for b in report.builds):
        return "failed"
    if report.pending:
        return "planned"
    return "broken" if not_run(report) else "passed"


def _something_broke(report: Report) -> bool:
    findings = report.plan.findings if report.plan else ()
    return (
        any(finding.outcome == Outcome.BROKEN for finding in findings)
        or any(verdict.outcome == "broken" for verdict in report.verdicts)
        or any(build_broke(build) for build in report.builds)
    )


def build_broke(build: BuildResult) -> bool:
    """A failed build that names no failed check crashed: nothing said no, so nothing was judged."""
    outcomes = {finding.outcome for finding in build.findings}
    return Outcome.BROKEN in outcomes or (build.outcome == "failed" and Outcome.FAILED not in outcomes)


def not_run(report: Report) -> tuple[str, ...]:
    """Planned steps without a result; a whole report without any step counts as one."""
    if report.plan is None:
        return () if report.verdicts or report.builds else ("everything: nothing was planned, built or judged",)
    judged = {(v.subject.kind, v.subject.name) for v in report.verdicts}
    built = {(b.kind, b.name) for b in report.builds} | judged
    return tuple(
        f"{step.action} {step.name}"
        for step in report.plan.steps
        if (step.kind, step.name) not in (judged if step.action == "judge" else built)
        and not (step.action == "build" and step.reused)
    )


def shown(verdict: Verdict) -> Verdict:
    """The verdict without the holdout's detail: pass or fail and gains rounded to their standard error stay."""
    comparisons = tuple(_coarse(c) if c.rows == "holdout" else c for c in verdict.comparisons)
    return verdict.model_copy(
        update={
            "comparisons": comparisons,
            "measurements": tuple(m for m in verdict.measurements if m.rows != "holdout"),
            "findings": tuple(_discreet(f, comparisons) if f.rows == "holdout" else f for f in verdict.findings),
        }
    )


def _coarse(comparison: Comparison) -> Comparison:
    """Only the rounded gain and error remain; the limit is computed from these again."""
    value, error = rounded(comparison)
    low = value + NormalDist().inv_cdf(comparison.significance) * error
    return comparison.model_copy(update={"gain": value, "standard_error": error, "low": low})


def _discreet(finding: Finding, comparisons: tuple[Comparison, ...]) -> Finding:
    """Words as ``decide`` chose them, which tell gates that did not all pass not apart; a passed one with its gain."""
    bare = finding.model_copy(update={"value": None, "details": {}})
    if finding.outcome != Outcome.PASSED:
        return bare
    own = [c for c in comparisons if c.rows == "holdout" and finding.name.startswith(f"{c.metric} against")]
    gains = f", gain {gain(own[0])}" if own else ""
    return bare.model_copy(update={"summary": f"Held on the holdout{gains}."})


def facts_of(verdict: Verdict) -> Facts:
    """The typed facts of a verdict; raises ``MachineryError`` where judge wrote something else."""
    try:
        return Facts.model_validate(verdict.facts)
    except ValidationError as error:
        raise MachineryError(f"the verdict on {verdict.subject.name} holds facts that don't fit: {error}") from error


def lineage_of(repository: Repository, names: frozenset[str] | None = None) -> tuple[Node, ...]:
    """Every dataset and model and what it reads; with ``names`` only those and their neighbours."""
    nodes = [
        Node(name=name, kind="dataset", reads=contract.derivation.inputs if contract.derivation else ())
        for name, contract in sorted(repository.contracts.items())
    ] + [Node(name=name, kind="model", reads=(spec.contract.name,)) for name, spec in sorted(repository.specs.items())]
    if names is None:
        return tuple(nodes)
    kept = names | {source for node in nodes if node.name in names for source in node.reads}
    kept |= {node.name for node in nodes if names & set(node.reads)}
    return tuple(node for node in nodes if node.name in kept)
