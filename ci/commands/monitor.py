"""``acts monitor``: what became of a deployed champion's answers, by hand; Dagster does the same by itself."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from ci.options import json_option, repo_option, repository, say
from dagster_project.domain.errors import PASSED, REFUSED, UsageError
from dagster_project.domain.monitored import PARTS, Monitored, MonitoredParts
from dagster_project.domain.verdict import Outcome
from dagster_project.domain.workspace import Workspace


@click.command("monitor")
@click.argument("model", required=False)
@repo_option
@json_option
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="One part or several; default: all.")
@click.option("--now", type=click.DateTime(), help="Look as at this time (UTC), to see the past again; default: now.")
@click.option("--since", type=click.DateTime(), help="Look once for each day from this one to --now.")
def command(
    repo: Path, model: str | None, as_json: bool, parts: tuple[str, ...], now: datetime | None, since: datetime | None
) -> int:
    """Join labels to answers, measure, look for drift, explain, and choose what people are asked.

    Exit 0 nothing has to be looked at, 1 an alarm of severity error, 2 a file is wrong, 3 something broke.
    """
    last = (now or datetime.now(UTC)).replace(tzinfo=UTC)
    times = each_day(since.replace(tzinfo=UTC) if since else last, last)
    found = run_monitor(Workspace(repo=repository(repo)), model, parts or PARTS, times, quiet=as_json)
    if as_json:
        click.echo(found.to_json(), nl=False)
    else:
        for look in found.looks:
            show(look, dated=len(times) > 1)
    failed = any(alarm.outcome is Outcome.FAILED for look in found.looks for alarm in look.alarms)
    return REFUSED if failed else PASSED


def each_day(since: datetime, last: datetime) -> list[datetime]:
    """``last`` and the same time of the days before it, down to ``since``; the earliest first.

    Raises:
        UsageError: ``since`` is after ``last``.
    """
    if since > last:
        raise UsageError(f"--since {since:%Y-%m-%d %H:%M} is after {last:%Y-%m-%d %H:%M}.")
    return [last - timedelta(days=back) for back in range((last - since).days, -1, -1)]


def run_monitor(
    workspace: Workspace, model: str | None, parts: tuple[str, ...], times: Sequence[datetime], *, quiet: bool = False
) -> MonitoredParts:
    """The program's answer to a look at each of ``times``; ``model`` None: every model that has a champion.

    Raises:
        UsageError: there is no such model, or it has no champion.
        MachineryError: the program ended without an answer; what it printed says why.
    """
    from ci.programs import asked

    options = [word for part in parts for word in ("--part", part)]
    options += [word for now in times for word in ("--now", now.isoformat())]
    options += ["--model", model] if model else []
    return MonitoredParts.from_json(asked(workspace, "monitor", *options, what="nothing was looked at", quiet=quiet))


def show(look: Monitored, *, dated: bool = False) -> None:
    """One part for people."""
    say(f"{look.model}: {look.part}{f' as at {look.now:%Y-%m-%d %H:%M}' if dated else ''}", "cyan")
    for line in look.words:
        say(f"  {line}")
    for alarm in look.alarms:
        colour = "red" if alarm.outcome is Outcome.FAILED else "yellow"
        say(f"  {alarm.outcome.value}: {alarm.name}: {alarm.summary} {alarm.hint}".rstrip(), colour)
