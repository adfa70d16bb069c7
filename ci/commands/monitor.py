"""``acts monitor``: what became of a deployed champion's answers, by hand; Dagster does the same by itself."""

from datetime import UTC, datetime
from pathlib import Path

import click

from ci.options import json_option, repo_option, repository, say
from dagster_project.domain.errors import PASSED, REFUSED
from dagster_project.domain.monitored import PARTS, Monitored, MonitoredParts
from dagster_project.domain.verdict import Outcome
from dagster_project.domain.workspace import Workspace


@click.command("monitor")
@click.argument("model", required=False)
@repo_option
@json_option
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="One part or several; default: all.")
@click.option("--now", type=click.DateTime(), help="Look as at this time (UTC), to see the past again; default: now.")
def command(repo: Path, model: str | None, as_json: bool, parts: tuple[str, ...], now: datetime | None) -> int:
    """Join labels to answers, measure, look for drift, explain, and choose what people are asked.

    Exit 0 nothing has to be looked at, 1 an alarm of severity error, 2 a file is wrong, 3 something broke.
    """
    at = (now or datetime.now(UTC)).replace(tzinfo=UTC)
    found = run_monitor(Workspace(repo=repository(repo)), model, parts or PARTS, at, quiet=as_json)
    if as_json:
        click.echo(found.to_json(), nl=False)
    else:
        for look in found.looks:
            show(look)
    failed = any(alarm.outcome is Outcome.FAILED for look in found.looks for alarm in look.alarms)
    return REFUSED if failed else PASSED


def run_monitor(
    workspace: Workspace, model: str | None, parts: tuple[str, ...], now: datetime, *, quiet: bool = False
) -> MonitoredParts:
    """The program's answer; ``model`` None: every model that has a champion.

    Raises:
        UsageError: there is no such model, or it has no champion.
        MachineryError: the program ended without an answer; what it printed says why.
    """
    from ci.programs import asked

    options = ["--now", now.isoformat(), *(word for part in parts for word in ("--part", part))]
    options += ["--model", model] if model else []
    return MonitoredParts.from_json(asked(workspace, "monitor", *options, what="nothing was looked at", quiet=quiet))


def show(look: Monitored) -> None:
    """One part for people."""
    say(f"{look.model}: {look.part}", "cyan")
    for line in look.words:
        say(f"  {line}")
    for alarm in look.alarms:
        colour = "red" if alarm.outcome is Outcome.FAILED else "yellow"
        say(f"  {alarm.outcome.value}: {alarm.name}: {alarm.summary} {alarm.hint}".rstrip(), colour)
