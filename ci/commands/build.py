"""``acts build``: a dataset or a model, in a Dagster run."""

from pathlib import Path

import click

from ci.options import json_option, repo_option, say
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import PASSED, REFUSED
from dagster_project.domain.verdict import Outcome


@click.command("build")
@click.argument("name")
@repo_option
@json_option
@click.option("--export", type=click.Path(path_type=Path, file_okay=False), help="Leave the result and bundle here.")
def command(name: str, repo: Path, as_json: bool, export: Path | None) -> int:
    """Build the dataset or model NAME from the working folder, and everything that it is made from."""
    from ci.programs import run_build
    from ci.session import kind_of, open_head

    workspace, head = open_head(repo)
    result = run_build(workspace, kind_of(head, name), name, quiet=as_json)
    if export:
        from ci.github.builds import export_build
        from dagster_project.storage.store import ArtifactStore

        export_build(export, result, ArtifactStore.of(workspace))
    if as_json:
        click.echo(result.to_json(), nl=False)
    else:
        show(result)
    return REFUSED if result.outcome == "failed" else PASSED


def show(result: BuildResult) -> None:
    """The build for people."""
    for finding in result.findings:
        if finding.outcome in (Outcome.FAILED, Outcome.WARNED, Outcome.BROKEN):
            place = ":".join(str(part) for part in (finding.file, finding.line) if part)
            summary = finding.summary if finding.summary.endswith((".", "?", "!")) else f"{finding.summary}."
            said = f"{finding.outcome.value}: {place + ': ' if place else ''}{finding.name}: {summary} {finding.hint}"
            say(said.rstrip(), "yellow")
    if result.snapshot:
        rows = f"{result.snapshot.rows:,} rows, {result.snapshot.quarantined:,} in quarantine"
        say(f"{result.snapshot.dataset}: {rows}, snapshot {result.snapshot.digest[:19]}")
    if result.bundle:
        say(f"{result.name}: bundle {result.bundle[:19]}")
    colour = "red" if result.outcome == "failed" else "green"
    say(f"{result.kind} {result.name}: {result.outcome} in {result.seconds:.1f} s", colour)
