"""The search: Ray Tune over families and their parameters. Runs inside a connected Ray."""

import logging
from dataclasses import dataclass
from typing import Any

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Trial
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.families import FAMILIES
from dagster_project.domain.lease import GpuUse
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.spec import ModelSpec
from dagster_project.training.cluster import Cluster, at_once, ray_storage
from dagster_project.training.course import Course
from dagster_project.training.distributed import HEAD, LOSSES, distributed
from dagster_project.training.problem import Problem
from dagster_project.training.progress import Display
from dagster_project.training.recorder import Waiting, recorder
from dagster_project.training.space import Proposal
from dagster_project.training.trial import Terms, last_step, trainable

_GRACE = 2  # epochs before ASHA may stop a trial; what trains at once reports step 1 and is never compared midway
_REDUCTION = 3


@dataclass(frozen=True)
class Searched:
    """Every trial that began, by number; and what the cards of those that had some did."""

    trials: list[Trial]
    gpus: dict[int, GpuUse]


def search(
    request: BuildRequest, problem: Problem, proposals: list[Proposal], place: Cluster, display: Display
) -> Searched:
    """Run the proposals until they end or the time budget does, as many at a time as there is room for.

    A trial that raises is ``failed`` with its reason; one whose worker is lost goes on from its last checkpoint, and is
    ``failed`` when that happens too often; one that ASHA or the budget ended is ``stopped`` and keeps its last value.
    """
    from ray import tune

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # failed trials are ours to show
    spec, compute = request.spec, request.spec.compute
    course = Course(proposals, display)
    wanted = {"CPU": compute.least, "GPU": compute.least if compute.gpus_per_trial else 0}
    tuner = tune.Tuner(
        _trial(problem, proposals, Terms.of(request, place.folder)),
        param_space={"number": tune.grid_search(list(range(len(proposals))))},
        tune_config=tune.TuneConfig(
            metric="value",
            mode="max" if METRICS[spec.search.metric].greater_is_better else "min",
            scheduler=_scheduler(spec, proposals),
            max_concurrent_trials=at_once(compute, place),
            time_budget_s=spec.search.time_budget.total_seconds(),
            reuse_actors=compute.processes == 1,
        ),
        run_config=tune.RunConfig(
            name="search",
            callbacks=[recorder(course, Waiting(wanted, display))],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(max_failures=LOSSES),
            verbose=0,
            **ray_storage(place.folder),
        ),
    )
    tuner.fit()
    return Searched(course.finish(), course.gpus)


def _trial(problem: Problem, proposals: list[Proposal], terms: Terms) -> Any:
    """What Tune runs for a proposal, and the resources that it holds meanwhile."""
    import ray
    from ray import tune

    if terms.processes == 1:
        return tune.with_parameters(trainable(terms.gpus), problem=problem, proposals=proposals, terms=terms)
    shared = [ray.put(problem)]  # in a list: the processes fetch it, the trial on the head does not
    many = tune.with_parameters(distributed(), shared=shared, proposals=proposals, terms=terms)
    return tune.with_resources(many, tune.PlacementGroupFactory([HEAD]))


def best_trial(trials: list[Trial], metric: str) -> Trial:
    """The best value wins; a tie goes to the lower number.

    Raises:
        RefusedError: no trial has a value.
    """
    valued = [trial for trial in trials if trial.value is not None and trial.status != "failed"]
    if not valued:
        reasons = sorted({trial.error.strip().splitlines()[-1] for trial in trials if trial.error})
        because = f" Failed: {'; '.join(reasons)}." if reasons else " The time budget ended the search before."
        raise RefusedError(f"none of {len(trials)} trials has a value.{because} Raise search.time_budget or mend them.")
    sign = -1 if METRICS[metric].greater_is_better else 1
    return min(valued, key=lambda trial: (sign * (trial.value or 0.0), trial.number))


def _scheduler(spec: ModelSpec, proposals: list[Proposal]) -> Any:
    """Asynchronous successive halving (Li et al. 2020) over epochs, where the spec wants it and a family has steps.

    A trial goes on beyond 2, 6, 18 ... epochs where it is among the best third of those that were there before.
    """
    from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler

    if spec.search.scheduler == "none" or not any(FAMILIES[c.family].steps for c in spec.candidates):
        return FIFOScheduler()  # type: ignore[no-untyped-call]
    most = max(last_step(proposal) for proposal in proposals)
    return AsyncHyperBandScheduler(
        time_attr="steps", grace_period=_GRACE, max_t=max(most, _GRACE + 1), reduction_factor=_REDUCTION
    )
