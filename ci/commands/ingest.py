"""``acts ingest``: what servers logged and were told becomes rows of the tables of answers and labels."""

from pathlib import Path

import click

from ci.options import count, json_option, repo_option, repository, say
from dagster_project.domain.prediction import Ingested
from dagster_project.domain.workspace import Workspace


@click.command("ingest")
@repo_option
@json_option
def command(repo: Path, as_json: bool) -> None:
    """Move finished and running servers' segments into the tables, each row exactly once; run it whenever you like."""
    done = run_ingest(Workspace(repo=repository(repo)), quiet=as_json)
    if as_json:
        click.echo(done.to_json(), nl=False)
    else:
        show(done)


def run_ingest(workspace: Workspace, *, quiet: bool = False) -> Ingested:
    """The program's answer.

    Raises:
        MachineryError: it ended without one; what it printed says why.
    """
    from ci.programs import asked

    return Ingested.from_json(asked(workspace, "ingest", what="nothing more was taken in", quiet=quiet))


def show(done: Ingested) -> None:
    """The ingestion for people."""
    labels = f" and {count(done.labels, 'label')}" if done.labels else ""
    say(
        f"{count(done.rows, 'row')}{labels} from {count(done.segments, 'segment')}, "
        f"the oldest {done.lag_seconds:.1f} s old"
    )
    if done.dropped:
        say(f"{count(done.dropped, 'row')} answered and dropped by servers: memory or disk was full", "yellow")
    if done.broken:
        say(f"{count(done.broken, 'damaged place')} skipped, {done.broken_bytes:,} bytes: look at the disk", "yellow")
