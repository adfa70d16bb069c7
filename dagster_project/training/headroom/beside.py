"""The fits beside each other on the connected Ray, until they are done or the time budget is."""

import time
from typing import TYPE_CHECKING, Any

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import Trial
from dagster_project.training.headroom.fits import Fitted, Job, fitted

if TYPE_CHECKING:
    from collections.abc import Sequence

LATE = "The time budget ended before it was fitted: raise headroom.time_budget."


def fit_beside(request: BuildRequest, best: Trial, jobs: "Sequence[Job]", seconds: float) -> dict[str, Fitted]:
    """By the job's name. What is not done after ``seconds`` is ended, and says so. The first jobs begin first."""
    import ray

    ends = time.monotonic() + seconds
    task = ray.remote(num_cpus=1, max_retries=1)(fitted)
    shared = ray.put(request.to_json())
    waiting = {task.remote(shared, best, job): job.name for job in jobs}
    found: dict[str, Fitted] = {}
    while waiting and (left := ends - time.monotonic()) > 0:
        done, _ = ray.wait(list(waiting), num_returns=1, timeout=left)
        found |= {waiting.pop(ref): _result(ref) for ref in done}
    for ref in waiting:
        ray.cancel(ref, force=True)
    return found | dict.fromkeys(waiting.values(), Fitted(None, absent=LATE))


def _result(ref: Any) -> Fitted:
    """A copy: what Ray gives lies in memory that goes away with it."""
    import ray

    try:
        done: Fitted = ray.get(ref)
    except ray.exceptions.RayError as error:
        return Fitted(None, absent=f"its process was lost: {str(error).splitlines()[0]}"[:300])
    answers = None if done.answers is None else done.answers.copy()
    return Fitted(answers, done.seconds, done.absent)
