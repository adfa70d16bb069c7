"""``acts labels``: what people said on the review page, as files that a contract reads into training."""

from pathlib import Path

import click

from ci.options import count, json_option, repo_option, repository, say
from dagster_project.domain.label_export import LabelExport
from dagster_project.domain.workspace import Workspace


@click.command("labels")
@click.argument("model")
@click.option("--to", "folder", required=True, help="A folder (from the repository's root) or an object storage URI.")
@repo_option
@json_option
def command(repo: Path, model: str, folder: str, as_json: bool) -> None:
    """Write what people said of MODEL's answers since the last time to one more Parquet file in a folder.

    Run it after acts ingest, whenever new human labels shall enter training; docs/review.md has the contract and the
    SQL.
    """
    done = run_export(Workspace(repo=repository(repo)), model, folder, quiet=as_json)
    if as_json:
        click.echo(done.to_json(), nl=False)
    else:
        show(done)


def run_export(workspace: Workspace, model: str, folder: str, *, quiet: bool = False) -> LabelExport:
    """The program's answer.

    Raises:
        UsageError: there is no such model, or its labels join to nothing; what it printed says why.
        MachineryError: it ended without an answer.
    """
    from ci.programs import asked

    options = ("--model", model, "--to", folder)
    return LabelExport.from_json(asked(workspace, "labels", *options, what="no labels were written", quiet=quiet))


def show(done: LabelExport) -> None:
    """The export for people."""
    if done.file is None:
        say("nothing new was said")
    else:
        say(f"{count(done.labels, 'label')} in {done.file}")
    if done.split:
        say(f"{count(done.split, 'row')} without a label: people do not agree yet", "yellow")
    if done.without_id:
        say(f"{count(done.without_id, 'labelled row')} left out: answered without the contract's id", "yellow")
