"""``acts pr``: the whole way of a pull request on this machine, with no account anywhere."""

from pathlib import Path

import click

from ci.options import json_option, repo_option, repository


@click.command("pr")
@repo_option
@json_option
@click.option("--base", help="Commit to compare with and whose rules judge; default: where this branch left main.")
def command(repo: Path, as_json: bool, base: str | None) -> int:
    """Check, plan, build, judge and report; exit 0 passed, 1 a gate said no, 2 a file is wrong, 3 something broke."""
    from ci.pull_request import publish, run_pull_request

    workspace, report, judged = run_pull_request(repository(repo), base, quiet=as_json)
    publish(workspace, report, judged, as_json=as_json)
    return report.exit_code
