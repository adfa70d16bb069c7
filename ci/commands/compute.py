"""``acts compute``: machines that a build may lease. Each command is a program of the compute layer."""

from pathlib import Path

import click

from ci.options import repo_option, repository


@click.group("compute")
def command() -> None:
    """Where models are trained: profiles, what a build would ask for, what was left behind."""


@command.command("plan")
@click.argument("model")
@repo_option
@click.option("--profile", help="Another one than the spec's.")
@click.option("--lease", help="The lease's id; default: a placeholder.")
def plan(model: str, repo: Path, profile: str | None, lease: str | None) -> int:
    """Print the manifest that a build of MODEL would apply; on standard error, what it may take and cost."""
    folder = repository(repo)
    flags = {"--repo": str(folder), "--profile": profile, "--lease": lease}
    return _run(folder, "plan", model, *(word for flag, value in flags.items() if value for word in (flag, value)))


@command.command("profiles")
def profiles() -> int:
    """List the compute profiles: machines, prices, bounds. ACTS_COMPUTE names their file."""
    return _run(Path(), "profiles")


@command.command("access")
@click.argument("profile")
@click.option("--storage", is_flag=True, help="Print what the pods may do on object storage instead (AWS IAM).")
@click.option("--warehouse", help="Where the rows lie; default: ACTS_WAREHOUSE.")
def access(profile: str, storage: bool, warehouse: str | None) -> int:
    """Print the accounts, roles and network policies that PROFILE wants, for kubectl apply."""
    flags = [*(["--storage"] if storage else []), *(["--warehouse", warehouse] if warehouse else [])]
    return _run(Path(), "access", profile, *flags)


@command.command("reap")
@repo_option
@click.option("--profile", help="This one alone; default: every one.")
@click.option("--unfinished", is_flag=True, help="Leases that are open in this ledger are over: their job has ended.")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
def reap(repo: Path, profile: str | None, unfinished: bool, dry_run: bool) -> int:
    """Delete what outlived its lease; exit 1 where something is left that only a person may delete."""
    flags = [*(["--profile", profile] if profile else []), *(["--unfinished"] if unfinished else [])]
    return _run(repo, "reap", "--repo", str(repo.resolve()), *flags, *(["--dry-run"] if dry_run else []))


def _run(folder: Path, *arguments: str) -> int:
    from ci.programs import run_module
    from dagster_project.domain.workspace import Workspace

    return run_module(Workspace(repo=folder.resolve()), "dagster_project.compute", *arguments)
