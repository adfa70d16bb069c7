"""A trial of several processes that train one network together: Ray Train inside a Tune trial.

The trial itself waits on the head and needs no machine of its own. Where the spec lets it, the number of processes
follows the machines that are there (elastic): a step is the same batch over fewer of them.
"""

import os
import time
from typing import TYPE_CHECKING, Any

from dagster_project.training.cluster import ray_storage
from dagster_project.training.problem import Problem, fit
from dagster_project.training.space import Proposal
from dagster_project.training.trial import Terms, failure, last_step, reached

if TYPE_CHECKING:
    from collections.abc import Callable

    import ray

LOSSES = 3  # times that a trial goes on after its workers were lost; a machine that is reclaimed with notice is free
HEAD = {"node:__internal_head__": 0.001}  # Ray's own name for the head: no core is taken
_PATIENCE = str(24 * 3600)  # seconds; the lease's deadline comes first


def distributed() -> "Callable[..., None]":
    """Tune's function: its metrics are those that the first process reports."""

    def distributed_trial(
        config: dict[str, Any], shared: "list[ray.ObjectRef[Problem]]", proposals: list[Proposal], terms: Terms
    ) -> None:
        from ray import tune
        from ray.train import TrainingFailedError

        # machines come when trials wait for them: giving up after Ray's minute would send them away again
        os.environ["RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"] = _PATIENCE
        proposal = proposals[config["number"]]
        try:
            _trainer(shared, proposal, terms).fit()
        except TrainingFailedError as error:
            tune.report(failure(last_words(error)))

    return distributed_trial


def _trainer(shared: Any, proposal: Proposal, terms: Terms) -> Any:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.tune.integration.ray_train import TuneReportCallback
    from torch import distributed

    cards = terms.gpus > 0
    elastic = (terms.least, terms.processes)
    return TorchTrainer(
        _process,
        train_loop_config={"shared": shared, "proposal": proposal, "terms": terms},
        torch_config=TorchConfig(backend="nccl" if cards and distributed.is_nccl_available() else "gloo"),
        scaling_config=ScalingConfig(
            num_workers=terms.processes if terms.least == terms.processes else elastic,  # type: ignore[arg-type]
            use_gpu=cards,
        ),
        run_config=RunConfig(
            name=f"trial-{proposal.number}",
            callbacks=[TuneReportCallback()],  # type: ignore[no-untyped-call, list-item]
            failure_config=FailureConfig(max_failures=LOSSES),
            **ray_storage(terms.folder),
        ),
    )


def _process(config: dict[str, Any]) -> None:
    """One of the processes. Each of them reports, so that none runs ahead; the first one's words count."""
    import ray
    import ray.train
    import torch

    proposal, terms, begin = config["proposal"], config["terms"], time.perf_counter()
    problem = ray.get(config["shared"][0])
    place = ray.train.torch.get_device() if torch.cuda.is_available() else None
    for done in fit(problem, proposal, 1, terms.device(place), terms.checkpoints(proposal)):
        ray.train.report(reached(done, last_step(proposal), time.perf_counter() - begin))


def last_words(error: Exception) -> str:
    """Why the processes failed: the first one's reason, in a line."""
    failures = getattr(error, "worker_failures", {})
    reasons = [str(reason).strip() for _, reason in sorted(failures.items())] or [str(error).strip()]
    return reasons[0] or type(error).__name__
