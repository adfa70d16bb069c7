"""``acts judge``: what was built, read as data and held against the base branch's rules."""

from pathlib import Path

import click

from ci.options import json_option, repo_option


@click.command("judge")
@click.argument("name")
@repo_option
@json_option
@click.option("--base", help="Commit whose rules judge; default: where this branch left main.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A bundle's folder; default: the last build here.",
)
def command(name: str, repo: Path, as_json: bool, base: str | None, bundle: Path | None) -> int:
    """Judge the dataset or model NAME; exit 0 passed, 1 a gate said no, 3 something did not run."""
    from ci.judging.run import judge
    from ci.pull_request import Progress, publish, report_of
    from ci.session import open_session

    session = open_session(repo, base)
    done = Progress(judged=[judge(session, name, bundle)])
    publish(session.workspace, report_of(session, None, done), done.judged, as_json=as_json)
    return done.judged[0].verdict.exit_code
