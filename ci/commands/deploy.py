"""``acts deploy``: what a commit's locks say becomes what is served."""

import json
from pathlib import Path

import click

from ci.options import json_option, repo_option


@click.command("deploy", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@repo_option
@json_option
@click.option("--commit", "revision", default="HEAD", show_default=True, help="Commit whose locks are deployed.")
@click.option("--dry-run", is_flag=True, help="Show what would change and what servers do; write nothing.")
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the servers; 0 does not wait.",
)
@click.option(
    "--target",
    type=click.Choice(["servers", "kuberay"]),
    default="servers",
    show_default=True,
    help="kuberay prints a RayService manifest (with --dry-run); its flags follow: --image, --store ...",
)
@click.pass_context
def command(
    context: click.Context, repo: Path, as_json: bool, revision: str, dry_run: bool, seconds: float, target: str
) -> int:
    """Publish the champions of a commit and wait until every server has them.

    Exit 0 done, 1 a gate or a server said no, 2 a file is wrong, 3 something is missing or a server is late.
    """
    if target == "kuberay":
        return _manifest(repo, dry_run, context.args)
    if context.args:
        raise click.NoSuchOption(context.args[0], ctx=context)
    from ci.deploying.console import Console
    from ci.deploying.run import deploy
    from ci.deploying.show import show, show_comparison

    found = deploy(repo, revision, seconds, Console(quiet=as_json), dry_run=dry_run)
    if as_json:
        answer = {**found.model_dump(mode="json"), "exit_code": found.exit_code}
        click.echo(json.dumps(answer, indent=2, sort_keys=True))
    elif dry_run:
        show_comparison(found)
    else:
        show(found)
    return found.exit_code


def _manifest(repo: Path, dry_run: bool, flags: list[str]) -> int:
    """The RayService whose servers follow the desired state. Applying it is for who holds the cluster's credentials."""
    from ci.programs import run_module
    from dagster_project.domain.errors import UsageError
    from dagster_project.domain.workspace import Workspace

    if not dry_run:
        raise UsageError("--target kuberay prints a manifest: add --dry-run, and apply it with kubectl.")
    return run_module(Workspace(repo=repo.resolve()), "dagster_project.serving.print_rayservice", *flags)
