"""Guards on ``compute:``: a profile that is there, GPUs that it has, bounds that it keeps, families that use them."""

from collections.abc import Iterator

from .compute import Compute, LocalProfile, Profile, Profiles
from .errors import Problem
from .families import FAMILIES
from .spec import ModelSpec
from .validation import suggest
from .yamlfile import Document


def check_compute(spec: ModelSpec, profiles: Profiles, at: Document) -> Iterator[Problem]:
    """Every problem of the section, each at its line."""
    compute = spec.compute
    profile = profiles.profiles.get(compute.profile)
    if profile is None:
        hint = suggest(compute.profile, profiles.profiles)
        yield at.problem(("compute", "profile"), f"there is no profile {compute.profile}.", hint, code="profile")
        return
    yield from _check_bounds(compute, profile, at)
    yield from _check_machines(compute, profile, at)
    yield from _check_processes(spec, at)
    if spec.search.time_budget >= compute.deadline:
        message = "the search's time budget does not end before the lease does, so nothing would come out."
        hint = "Raise compute.deadline, or lower search.time_budget."
        yield at.problem(("compute", "deadline"), message, hint, code="deadline")


def _check_bounds(compute: Compute, profile: Profile, at: Document) -> Iterator[Problem]:
    bounds = profile.bounds
    if compute.deadline > bounds.deadline:
        message = f"{compute.profile} lends machines for {bounds.deadline} at most."
        yield at.problem(("compute", "deadline"), message, "Lower the deadline.", code="deadline")
    if compute.cost_ceiling is not None and bounds.cost is not None and compute.cost_ceiling > bounds.cost:
        message = f"{compute.profile} allows {bounds.cost:g} a lease."
        yield at.problem(("compute", "cost_ceiling"), message, "Lower the ceiling.", code="cost-ceiling")
    if profile.kind == "kuberay" and compute.workers > bounds.workers:
        message = f"{compute.profile} lends {bounds.workers} workers at most."
        yield at.problem(("compute", "workers"), message, "Lower the number.", code="workers")


def _check_machines(compute: Compute, profile: Profile, at: Document) -> Iterator[Problem]:
    if isinstance(profile, LocalProfile):
        there, spot = profile.gpus, False
    else:
        there, spot = profile.worker.gpus * compute.workers, profile.worker.spot_price is not None
    if compute.gpus_per_trial > there:
        message = f"a trial wants {compute.gpus_per_trial} GPUs, and {compute.profile} has {there} for this lease."
        hint = "Lower gpus_per_trial, raise workers, or choose another profile."
        yield at.problem(("compute", "gpus_per_trial"), message, hint, code="gpus")
    if profile.kind == "kuberay" and compute.workers == 0:
        message = "the head runs no trials, so without workers nothing is trained."
        yield at.problem(("compute", "workers"), message, "Write 1 or more.", code="workers")
    if compute.capacity == "spot" and not spot:
        message = f"{compute.profile} has no spot machines."
        yield at.problem(("compute", "capacity"), message, "Write on_demand.", code="capacity")


def _check_processes(spec: ModelSpec, at: Document) -> Iterator[Problem]:
    compute = spec.compute
    if compute.gpus_per_trial and compute.processes != compute.gpus_per_trial:
        message = f"{compute.processes} processes can't share {compute.gpus_per_trial} GPUs."
        hint = "Leave processes_per_trial out: there is one for each GPU."
        yield at.problem(("compute", "processes_per_trial"), message, hint, code="processes")
    if compute.least_processes is not None and compute.least_processes > compute.processes:
        message = f"a trial has {compute.processes} processes."
        yield at.problem(("compute", "least_processes"), message, "Lower the number.", code="processes")
    for index, candidate in enumerate(spec.candidates):
        family = FAMILIES.get(candidate.family)
        if family and not family.steps and (compute.gpus_per_trial or compute.processes > 1):
            stepping = ", ".join(sorted(name for name, other in FAMILIES.items() if other.steps))
            message = f"{family.name} uses one core and no GPU, so it would hold {_what(compute)} for nothing."
            hint = f"Train it by a spec of its own, or keep: {stepping}."
            yield at.problem(("candidates", index, "family"), message, hint, code="family-compute")


def _what(compute: Compute) -> str:
    return f"{compute.gpus_per_trial} GPUs" if compute.gpus_per_trial else f"{compute.processes} processes"
