"""The search: Ray Tune over families and their parameters. Runs inside a connected Ray."""

import logging
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.domain.bundle import Trial
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.families import FAMILIES
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.spec import ModelSpec
from dagster_project.training.course import Course
from dagster_project.training.problem import Problem, fit
from dagster_project.training.progress import Display
from dagster_project.training.space import Proposal

if TYPE_CHECKING:
    from ray import tune

_GRACE = 2  # epochs before ASHA may stop a trial; what trains at once reports step 1 and is never compared midway


def search(
    spec: ModelSpec, problem: Problem, proposals: list[Proposal], cpus: int, folder: Path, display: Display
) -> list[Trial]:
    """Run the proposals, ``cpus`` at a time, until they end or the time budget does. Every begun trial is returned.

    A trial that raises, or whose worker dies, is ``failed`` with its reason; one that ASHA or the budget ended is
    ``stopped`` and keeps its last value. ``folder`` takes Tune's own files.
    """
    from ray import tune

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # failed trials are ours to show
    course = Course(proposals, display)
    tuner = tune.Tuner(
        tune.with_parameters(trainable(), problem=problem, proposals=proposals),
        param_space={"number": tune.grid_search(list(range(len(proposals))))},
        tune_config=tune.TuneConfig(
            metric="value",
            mode="max" if METRICS[spec.search.metric].greater_is_better else "min",
            scheduler=_scheduler(spec),
            max_concurrent_trials=cpus,
            time_budget_s=spec.search.time_budget.total_seconds(),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="search",
            storage_path=str(folder),
            callbacks=[recorder(course)],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            failure_config=tune.FailureConfig(max_failures=0),
            verbose=0,
        ),
    )
    tuner.fit()
    return course.finish()


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


def _scheduler(spec: ModelSpec) -> Any:
    """Asynchronous successive halving (Li et al. 2020) over epochs, where the spec wants it and a family has steps."""
    from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler

    if spec.search.scheduler == "none" or not any(FAMILIES[c.family].steps for c in spec.candidates):
        return FIFOScheduler()  # type: ignore[no-untyped-call]
    return AsyncHyperBandScheduler(time_attr="training_iteration", grace_period=_GRACE, max_t=1000, reduction_factor=3)


def trainable() -> type["tune.Trainable"]:
    """Tune's view of :func:`problem.fit`: a step is an epoch, or the whole fit. Actors go from trial to trial."""
    from ray import tune

    class FitTrial(tune.Trainable):
        def setup(  # type: ignore[override]  # with_parameters passes the rest
            self, config: dict[str, Any], problem: Problem, proposals: list[Proposal]
        ) -> None:
            self._problem, self._proposals = problem, proposals
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            proposal = self._proposals[new_config["number"]]
            self._last = proposal.parameters.get("epochs", 1)
            self._fits = fit(self._problem, proposal)
            self._begin = time.perf_counter()
            return True

        def step(self) -> dict[str, Any]:
            try:
                done = next(self._fits)
            except Exception as error:  # noqa: BLE001 recorded as the trial's end; the actor goes on
                return {"value": math.nan, "done": True, "error": f"{type(error).__name__}: {error}"}
            seconds = time.perf_counter() - self._begin
            return {"value": done.value, "steps": done.steps, "seconds": seconds, "done": done.steps >= self._last}

    return FitTrial


def recorder(course: Course) -> "tune.Callback":
    """Tune's events, as the course of the search takes them."""
    from ray import tune

    class Recorder(tune.Callback):
        def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            course.began(trial.config["number"])

        def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: Any, **info: Any) -> None:
            number = trial.config["number"]
            if "error" in result:
                course.failed(number, result["error"])
            else:
                course.reached(number, result["value"], result["steps"], result["seconds"], result["done"])

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            course.ended(trial.config["number"])

        def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            course.failed(trial.config["number"], reason(trial))

    return Recorder()


def reason(trial: Any) -> str:
    """Why a trial's worker died, in Ray's words."""
    path = Path(trial.error_file or "")
    return path.read_text().strip() if path.is_file() else "the worker died and Ray gave no reason"
