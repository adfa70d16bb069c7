"""The Ray that a build trains on: one of our own on this machine, or the cluster whose job we are."""

import logging
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.compute import Compute
from dagster_project.domain.errors import MachineryError
from dagster_project.storage.files import location
from dagster_project.training.local_ray import QUIET, load_libraries, local_ray

_JOB = ("RAY_ADDRESS", "RAY_JOB_CONFIG_JSON_ENV_VAR")  # Ray's job supervisor sets both for an entrypoint


@dataclass(frozen=True)
class Cluster:
    """A connected Ray. ``folder`` is a path or URI that all of its machines reach.

    ``slots``: cores of this machine, where trials share it; None: machines come when trials wait for them.
    """

    folder: str
    slots: int | None


@contextmanager
def cluster(request: BuildRequest, ready: Callable[[], object] = lambda: None) -> Iterator[Cluster]:
    """Connected inside. Enter it on the main thread. ``ready`` as :func:`~.local_ray.local_ray` has it.

    Raises:
        MachineryError: Ray did not start, or does not answer.
    """
    compute = request.spec.compute
    if is_job(os.environ):
        with _joined(request.checkpoints, ready) as folder:
            yield Cluster(folder, None)
        return
    slots = max(request.cpus, compute.processes)
    with local_ray(slots, cards(compute), ready) as session:
        yield Cluster(request.checkpoints or str(session), slots)


def is_job(environment: Mapping[str, str]) -> bool:
    """Whether we are the entrypoint of a Ray job. ``RAY_ADDRESS`` alone may stand in anybody's shell."""
    return all(environment.get(name) for name in _JOB)


def cards(compute: Compute) -> int:
    """GPUs that a Ray of our own declares: all that torch sees, where trials want some.

    At least one trial's, for what waits for more than there are would wait for ever; it trains on the CPU, and says so.
    """
    if not compute.gpus_per_trial:
        return 0
    import torch

    return max(compute.gpus_per_trial, torch.cuda.device_count())


@contextmanager
def _joined(checkpoints: str | None, ready: Callable[[], object]) -> Iterator[str]:
    """Connected to the cluster that started us, which ends what we leave when we end."""
    os.environ.update(QUIET)
    load_libraries()
    import ray

    ready()
    try:
        ray.init(address=os.environ["RAY_ADDRESS"], log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise MachineryError(f"Ray at {os.environ['RAY_ADDRESS']} does not answer: {error}. See its logs.") from error
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # Ray's own handler waits; the cluster cleans up behind us
    try:
        with tempfile.TemporaryDirectory(prefix="acts-search-") as folder:
            yield checkpoints or folder
    finally:
        ray.shutdown()


def at_once(compute: Compute, place: Cluster) -> int | None:
    """How many trials may run beside each other; None: as many as the cluster has machines for.

    Trials of several processes are counted here: each of them holds no machine itself while its processes wait.
    """
    if place.slots is not None:
        return max(1, place.slots // compute.processes)
    if compute.processes == 1:
        return None
    return max(1, room(compute, _largest()))


def room(compute: Compute, largest: Mapping[str, float]) -> int:
    """Trials for which a cluster has room once all its machines are there."""
    wanted = {"CPU": compute.processes, "GPU": compute.gpus_per_trial}
    return min(int(largest.get(name, 0) // count) for name, count in wanted.items() if count)


def _largest() -> Mapping[str, float]:
    """Resources with all machines that the autoscaler may add; without an autoscaler, those there are."""
    import ray

    largest = ray._private.state.state.get_max_resources_from_cluster_config()
    found: Mapping[str, float] = largest if largest else ray.cluster_resources()  # type: ignore[no-untyped-call]
    return found


def ray_storage(folder: str) -> dict[str, Any]:
    """A folder as Ray's RunConfig takes it: object storage with the same credentials as everywhere else."""
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    place = location(folder)
    if place.protocol in ("", "file", "local"):
        return {"storage_path": str(Path(place.path).absolute())}
    return {"storage_path": place.path, "storage_filesystem": PyFileSystem(FSSpecHandler(place.fs))}
