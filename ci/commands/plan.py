"""``acts plan``: what a change touches, why, what is reused and what it may cost. Reads git objects, runs nothing."""

from pathlib import Path

import click

from ci.options import count, json_option, repo_option, repository, say
from dagster_project.domain.errors import PASSED, REFUSED
from dagster_project.domain.plan import Plan, PlanStep
from dagster_project.domain.verdict import Outcome

_COLOURS = {Outcome.FAILED: "red", Outcome.BROKEN: "red", Outcome.WARNED: "yellow"}


@click.command("plan")
@repo_option
@json_option
@click.option("--base", help="Commit to compare with; default: where this branch left main.")
@click.option("--head", help="Commit to plan for; default: the working folder as it is.")
def command(repo: Path, as_json: bool, base: str | None, head: str | None) -> int:
    """Show changes, steps in order, and what is refused outright; exit 0, 1 or 2."""
    from ci.planning import make_plan

    plan = make_plan(repository(repo), base, head)
    if as_json:
        click.echo(plan.to_json(), nl=False)
    else:
        show(plan)
    return REFUSED if plan.refused else PASSED


def show(plan: Plan) -> None:
    """The plan for people."""
    say(f"Plan from {plan.base[:12]} to {plan.head[:12]}")
    _section("What changed", [_change_words(plan, index) for index in range(len(plan.changes))])
    for dataset, models in plan.reached.items():
        say(f"\nThe breaking change of {dataset} reaches: {', '.join(models) or 'no model'}.", "yellow")
    _section("What has to run", _step_lines(plan.steps))
    for finding in plan.findings:
        if finding.outcome in _COLOURS:
            place = f" ({finding.file}{f':{finding.line}' if finding.line else ''})" if finding.file else ""
            text = f"\n{finding.outcome.value}: {finding.name}{place}\n  {finding.summary} {finding.hint}"
            say(text.rstrip(), _COLOURS[finding.outcome])
    say(f"\n{_summary(plan)}", "red" if plan.refused else "green")


def _section(heading: str, lines: list[str]) -> None:
    if lines:
        say(f"\n{heading}")
        for line in lines:
            say(f"  {line}")


def _change_words(plan: Plan, index: int) -> str:
    change = plan.changes[index]
    width = max(len(c.subject) for c in plan.changes)
    marks: list[str] = [change.bump] if change.bump != "none" else []
    marks += ["breaking"] if "breaking" in (change.consumer, change.producer) else []
    marks += ["loosens"] if change.loosens else []
    return f"{change.subject:<{width}}  {change.what}" + (f"  [{', '.join(marks)}]" if marks else "")


def _step_lines(steps: tuple[PlanStep, ...]) -> list[str]:
    width = max((len(step.name) for step in steps), default=0)
    costs = max([8, *(len(_cost(step)) for step in steps)])
    return [
        f"{step.action:<5}  {step.kind:<7}  {step.name:<{width}}  {_cost(step):>{costs}}  {'; '.join(step.reasons)}"
        for step in steps
    ]


def _cost(step: PlanStep) -> str:
    if step.reused:
        return "reused"
    time = "?" if step.seconds is None else f"~{step.seconds:.0f} s"
    return f"{time}, {step.cost.words}" if step.cost else time


def _summary(plan: Plan) -> str:
    if plan.refused:
        failed = sum(finding.outcome in (Outcome.FAILED, Outcome.BROKEN) for finding in plan.findings)
        return f"Refused: {count(failed, 'problem')} to solve before anything is built."
    if not plan.steps:
        return "Nothing to build, nothing to judge."
    known = [step.seconds for step in plan.steps if step.seconds is not None]
    unknown = len(plan.steps) - len(known)
    money = money_words(plan.steps)
    if not known:
        return f"{count(len(plan.steps), 'step')}; how long they take is not known yet{money}."
    cost = f"about {sum(known):.0f} s" + (f" and {count(unknown, 'step')} never timed" if unknown else "")
    return f"{count(len(plan.steps), 'step')}, {cost}{money}."


def money_words(steps: tuple[PlanStep, ...]) -> str:
    """``, ~1.20 USD``: what machines will cost; empty where they cost nothing."""
    costs = [step.cost for step in steps if step.cost]
    if not costs:
        return ""
    known = all(cost.builds for cost in costs)
    amount = sum(cost.amount for cost in costs)
    return f", {'about' if known else 'at most'} {amount:,.2f} {costs[0].currency}"
