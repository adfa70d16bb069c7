"""``acts compute plan`` and ``acts compute profiles``: what a build would apply, and what it may take."""

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from dagster_project.compute.manifest import rayjob
from dagster_project.domain.compute import Compute, KubeRayProfile, LocalProfile, Machine, Profile, Profiles
from dagster_project.domain.errors import PASSED, UsageError, UserFileError
from dagster_project.domain.guard_compute import check_compute
from dagster_project.domain.lease import Lease, ends_at, most, new_lease
from dagster_project.domain.loading import load_repository
from dagster_project.domain.manifests import render
from dagster_project.domain.profiles import load_profiles
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.specs import read

PLACEHOLDER = "0000000000000000"


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Its flags."""
    parser.add_argument("model")
    parser.add_argument("--repo", type=Path, default=Path())
    parser.add_argument("--profile", help="another one than the spec's")
    parser.add_argument("--lease", default=PLACEHOLDER, help="id; default: a placeholder")
    parser.set_defaults(run=print_plan)


def add_profiles(parser: argparse.ArgumentParser) -> None:
    """Its flags: none."""
    parser.set_defaults(run=print_profiles)


def print_plan(given: argparse.Namespace) -> int:
    """The manifest on standard output, where there is one; what it may take on standard error.

    Raises:
        UsageError: there is no such model, or no such id could be.
        UserFileError: the spec asks for what the profile does not give, or a file is wrong.
    """
    profiles = load_profiles()
    compute = compute_of(given.repo, given.model, given.profile, profiles)
    profile = profiles.of(compute)
    if isinstance(profile, KubeRayProfile):
        sys.stdout.write(render(rayjob(planned(given.lease, given.model, compute, profiles, time.time()), profile)))
    print("\n".join(taken(compute, profiles)), file=sys.stderr)
    return PASSED


def print_profiles(_: argparse.Namespace) -> int:
    """Every profile for people, on standard output.

    Raises:
        UsageError, UserFileError: the profiles can't be read.
    """
    profiles = load_profiles()
    for name, profile in profiles.profiles.items():
        print("\n  ".join([f"{name} ({profile.kind})", *described(profile, profiles.currency)]))
    return PASSED


def compute_of(repo: Path, model: str, profile: str | None, profiles: Profiles) -> Compute:
    """What the model's spec asks for, of another profile where one is named.

    Raises:
        UsageError: there is no such model.
        UserFileError: the other profile does not give what the spec asks for.
    """
    tree = FolderTree(repo.resolve())
    specs = load_repository(tree).specs
    if model not in specs:
        raise UsageError(f"there is no model '{model}'. There is: {', '.join(sorted(specs)) or 'none'}.")
    if profile is None:
        return specs[model].compute
    compute = specs[model].compute.model_copy(update={"profile": profile})
    _, document, problems = read(ModelSpec, tree.read(path := f"models/{model}/spec.yaml"), path)
    if document:
        problems += check_compute(specs[model].model_copy(update={"compute": compute}), profiles, document)
    if problems:
        raise UserFileError(problems)
    return compute


def planned(identity: str, model: str, compute: Compute, profiles: Profiles, now: float) -> Lease:
    """A lease that begins ``now`` (seconds since 1970), with no build behind it.

    Raises:
        UsageError: ``identity`` is none that a lease may have.
    """
    try:
        return new_lease(identity, model, compute, profiles, now)
    except ValueError as error:
        raise UsageError(f"--lease {identity}: small letters, digits and dashes, at most 40.") from error


def taken(compute: Compute, profiles: Profiles) -> Iterator[str]:
    """What a lease may take, a line for each: machines, time, the price of an hour, the most it can cost."""
    profile, currency = profiles.of(compute), profiles.currency
    hourly, ceiling = profiles.hourly(compute), profiles.ceiling(compute)
    yield f"profile:  {compute.profile}{' (this machine; no manifest)' if profile.kind == 'local' else ''}"
    yield f"machines: {_machines(compute, profile)}"
    yield f"deadline: {timedelta(seconds=round(ends_at(compute, profiles, 0.0)))} after it begins"
    yield f"price:    {hourly:.2f} {currency} an hour with every machine there"
    yield f"ceiling:  {'none' if ceiling is None else f'{ceiling:.2f} {currency}'}"
    yield f"at most:  {most(compute, profiles):.2f} {currency}"


def described(profile: Profile, currency: str) -> Iterator[str]:
    """A profile for people, a line for each thing."""
    bounds = profile.bounds
    if isinstance(profile, LocalProfile):
        yield f"this machine{f' with {profile.gpus} GPUs' if profile.gpus else ''}, {profile.price:.2f} {currency}/h"
        yield f"at most {bounds.deadline} a lease{_cost(bounds.cost, currency)}"
        return
    yield f"namespace {profile.namespace}{f' of {profile.context}' if profile.context else ''}, leases {profile.leases}"
    yield f"head: {_machine(profile.head)}, {profile.head.price:.2f} {currency}/h"
    spot = "" if profile.worker.spot_price is None else f", spot {profile.worker.spot_price:.2f}"
    yield f"worker: {_machine(profile.worker)}, {profile.worker.price:.2f} {currency}/h{spot}"
    yield f"at most {bounds.workers} workers and {bounds.deadline} a lease{_cost(bounds.cost, currency)}"


def _machines(compute: Compute, profile: Profile) -> str:
    if isinstance(profile, LocalProfile):
        return "this one"
    kind = "spot" if compute.capacity == "spot" else "on demand"
    return f"1 head ({_machine(profile.head)}), 0 to {compute.workers} workers ({_machine(profile.worker)}, {kind})"


def _machine(machine: Machine) -> str:
    return f"{machine.cpus} CPUs, {machine.memory}{f', {machine.gpus} GPUs' if machine.gpus else ''}"


def _cost(cost: float | None, currency: str) -> str:
    return "" if cost is None else f", {cost:.2f} {currency} unless a spec lowers it"
