"""A trial as Tune runs it in one process: a step is an epoch, or the whole fit. Actors go from trial to trial."""

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.families import FAMILIES
from dagster_project.training.checkpoints import Checkpoints, trial_folder
from dagster_project.training.device import CPU, Device, choose_device
from dagster_project.training.problem import Fit, Problem, fit
from dagster_project.training.space import Proposal

if TYPE_CHECKING:
    from ray import tune

AHEAD = 6  # epochs that several processes may be ahead of what the search has seen: the queues between hold so many


@dataclass(frozen=True)
class Terms:
    """What every trial of a search has in common besides its problem."""

    folder: str
    build_key: str
    gpus: int
    processes: int
    least: int

    @classmethod
    def of(cls, request: BuildRequest, folder: str) -> "Terms":
        """The request's terms, in a folder that all machines reach."""
        compute = request.spec.compute
        return cls(folder, request.build_key, compute.gpus_per_trial, compute.processes, compute.least)

    def checkpoints(self, proposal: Proposal) -> Checkpoints | None:
        """Where the trial's states are; None where its family has none."""
        if not FAMILIES[proposal.family].steps:
            return None
        folder = trial_folder(f"{self.folder.rstrip('/')}/states", self.build_key, proposal.number)
        return Checkpoints(folder, 2 if self.processes == 1 else AHEAD)

    def device(self, place: Any = None) -> Device:
        """Where a process of a trial trains; torch is imported for a lease with GPUs alone."""
        return choose_device(self.gpus, place) if self.gpus else CPU


def trainable(gpus: int) -> type["tune.Trainable"]:
    """Tune's view of :func:`problem.fit`, on a core and ``gpus`` cards.

    A fit that raises is its trial's end; a worker that is lost is not.
    """
    from ray import tune

    class FitTrial(tune.Trainable):
        @classmethod
        def default_resource_request(cls, config: dict[str, Any]) -> tune.PlacementGroupFactory:
            return tune.PlacementGroupFactory([{"CPU": 1, "GPU": gpus}])

        def setup(  # type: ignore[override]  # with_parameters passes the rest
            self, config: dict[str, Any], problem: Problem, proposals: list[Proposal], terms: Terms
        ) -> None:
            self._problem, self._proposals, self._terms = problem, proposals, terms
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            proposal, terms = self._proposals[new_config["number"]], self._terms
            self._last, self._begin = last_step(proposal), time.perf_counter()
            self._fits = fit(self._problem, proposal, 1, terms.device(), terms.checkpoints(proposal))
            return True

        def step(self) -> dict[str, Any]:
            try:
                done = next(self._fits)
            except Exception as error:  # noqa: BLE001 recorded as the trial's end; the actor goes on
                return {**failure(f"{type(error).__name__}: {error}"), "done": True}
            result = reached(done, self._last, time.perf_counter() - self._begin)
            return {**result, "done": result["complete"]}

    return FitTrial


def last_step(proposal: Proposal) -> int:
    """The number of steps with which the trial is complete."""
    return int(proposal.parameters.get("epochs", 1))


def reached(done: Fit, last: int, seconds: float) -> dict[str, Any]:
    """What a trial reports after a step. ``found``: steps that a lost worker had left."""
    return {
        "value": done.value,
        "steps": done.steps,
        "found": done.found,
        "seconds": seconds,
        "complete": done.steps >= last,
        "gpu": done.gpu.model_dump() if done.gpu else None,
    }


def failure(reason: str) -> dict[str, Any]:
    """What a trial reports whose fit raised; it has every key that the scheduler reads."""
    return {"value": math.nan, "steps": 0, "error": reason}
