"""``acts compute reap``: delete what outlived its lease."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from dagster_project.compute.reaper import Reaped, reap
from dagster_project.domain.compute import Profiles
from dagster_project.domain.errors import BROKEN, PASSED, REFUSED, MachineryError, UsageError
from dagster_project.domain.profiles import load_profiles
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.leases import LeaseLedger


def add_reap(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    parser.add_argument("--repo", type=Path, default=Path())
    parser.add_argument("--profile", help="this one alone; default: every one")
    parser.add_argument("--unfinished", action="store_true", help="leases that are open here are over")
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted")
    parser.set_defaults(run=run_reap)


def run_reap(given: argparse.Namespace) -> int:
    """Reap; 0: nothing is left, 1: something is that only a person may delete, 3: a cluster did not answer.

    One that does not answer keeps no other from being reaped.

    Raises:
        UsageError: there is no such profile, or no way to its cluster.
    """
    profiles, code = load_profiles(), PASSED
    leases = LeaseLedger(Workspace(repo=given.repo.resolve()).ledger)
    for name in _names(given.profile, profiles):
        try:
            done = reap(name, profiles, leases, unfinished=given.unfinished, dry=given.dry_run)
        except MachineryError as error:
            print(f"{name}: {error}", file=sys.stderr)
            code = BROKEN
            continue
        for line in words(name, done, dry=given.dry_run):
            print(line)
        code = max(code, REFUSED if done.left else PASSED)
    return code


def words(name: str, done: Reaped, *, dry: bool = False) -> Iterator[str]:
    """What was done, a line each."""
    for finding in done.findings:
        what = f"{name}: {finding.kind} {finding.name} of lease {finding.lease}"
        if not finding.delete:
            yield f"{what}: left for you to look at: {finding.why}"
        elif dry:
            yield f"{what}: would be deleted: {finding.why}"
        else:
            yield f"{what}: {'deleted' if finding in done.gone else 'gone already'}: {finding.why}"
    for end in done.closed:
        yield f"{name}: lease {end.lease.id} of {end.lease.model} closed: {end.reason}"
    if not done.findings and not done.closed:
        yield f"{name}: nothing is left of any lease that is over"


def _names(profile: str | None, profiles: Profiles) -> list[str]:
    if profile is None:
        return list(profiles.profiles)
    if profile not in profiles.profiles:
        raise UsageError(f"there is no profile '{profile}'. There is: {', '.join(profiles.profiles)}.")
    return [profile]
