"""The plan of a pull request: a pure function of two trees and of what is known."""

from collections.abc import Iterable

from .contract_changes import contract_changes, reached_models, version_findings
from .errors import Problem
from .estimates import HINT
from .known import KnownState
from .lock_changes import compare_locks
from .plan import Change, Plan, PlanStep
from .plan_steps import plan_steps
from .promoted import card_findings
from .repository import Repository
from .spec_changes import compare_floors, compare_specs, spec_file
from .verdict import Finding, Outcome


def build_plan(
    base: Repository,
    head: Repository,
    base_name: str,
    head_name: str,
    known: KnownState | None = None,
    broken: Iterable[Problem] = (),
) -> Plan:
    """What ``head`` changes, whom it reaches, what has to run, in which order, and what is refused outright.

    ``broken`` are problems of files that the pull request left alone: its changes elsewhere broke them.
    """
    known = known or KnownState()
    problems = tuple(broken)
    contracts = contract_changes(base, head)
    specs = tuple(
        change
        for name in sorted(base.specs.keys() | head.specs.keys())
        for change in compare_specs(base.specs.get(name), head.specs.get(name))
    )
    code = tuple(
        Change(
            file=spec_file(name), subject=name, kind="code", what="the code that trains it changed", effect="rebuild"
        )
        for name in known.code_changed
        if name in base.specs and name in head.specs
    )
    locks, lock_findings = compare_locks(base, head, known)
    changes = (*contracts, *specs, *compare_floors(base.floor, head.floor), *code, *locks)
    findings = [
        *version_findings(base, head),
        *(_reached(problem) for problem in problems),
        *lock_findings,
        *card_findings(base, head, known),
        *_loosening_findings(changes),
    ]
    allowed = {c.subject for c, f in zip(locks, lock_findings, strict=True) if f.outcome == Outcome.PASSED}
    kept = allowed & set(known.settled)
    doubted = (allowed - kept) & head.locks.keys()
    steps = () if problems else plan_steps(base, head, changes, known, kept, doubted)
    return Plan(
        base=base_name,
        head=head_name,
        changes=changes,
        steps=steps,
        findings=(*findings, *_cost_findings(steps)),
        reached=reached_models(changes, base, head),
    )


def _reached(problem: Problem) -> Finding:
    return Finding(
        name=f"{problem.file} no longer fits",
        source="compatibility",
        outcome=Outcome.FAILED,
        summary=f"{problem.where}: {problem.message}" if problem.where else problem.message,
        hint=problem.hint,
        file=problem.file,
        line=problem.line,
    )


def _cost_findings(steps: Iterable[PlanStep]) -> Iterable[Finding]:
    """Builds that would cross their ceiling: they aren't started."""
    for step in steps:
        if step.cost and step.cost.crosses:
            words = step.cost.refusal(step.name)
            yield Finding(
                name=f"cost of {step.name}",
                source="build",
                outcome=Outcome.FAILED,
                summary=words[0].upper() + words[1:],
                hint=HINT,
                file=spec_file(step.name),
            )


def _loosening_findings(changes: tuple[Change, ...]) -> Iterable[Finding]:
    """Loosening is marked; loosening and promoting in one pull request are refused."""
    promoted = sorted(change.subject for change in changes if change.kind == "lock")
    for change in changes:
        if change.loosens:
            yield Finding(
                name=f"loosening of {change.subject}",
                source="trust",
                outcome=Outcome.FAILED if promoted else Outcome.WARNED,
                summary=change.what + (f", while {', '.join(promoted)} is promoted." if promoted else "."),
                hint="Loosening and promoting are two pull requests; this one is judged by the base branch's rules.",
                file=change.file,
                line=change.line,
            )
