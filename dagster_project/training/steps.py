"""A family's fit, step by step: networks go on from their checkpoints, everything else is one step."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster_project.domain.lease import GpuUse
from dagster_project.training.checkpoints import Checkpoints
from dagster_project.training.device import CPU, Device
from dagster_project.training.families import spread
from dagster_project.training.gpu_meter import GpuMeter, mean
from dagster_project.training.loop import Training
from dagster_project.training.network import NetworkEstimator
from dagster_project.training.processes import place_among
from dagster_project.training.stream import Stream

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Step:
    """``done`` epochs are over, ``found`` of which a checkpoint had. One of several processes is the ``first``."""

    done: int
    found: int = 0
    first: bool = True
    gpu: GpuUse | None = None


def fit_steps(
    estimator: Any,
    train: "np.ndarray | Stream",
    target: "np.ndarray",
    cores: int,
    device: Device,
    checkpoints: Checkpoints | None,
) -> Iterator[Step]:
    """Train, yielding after each step. What streams brings its target along."""
    if isinstance(estimator, NetworkEstimator):
        yield from network_steps(begin(estimator, train, target, device), checkpoints)
        return
    with spread(estimator, cores):
        estimator.fit(train, target)
    yield Step(1)


def begin(
    estimator: NetworkEstimator, train: "np.ndarray | Stream", target: "np.ndarray", device: Device = CPU
) -> Training:
    """A network's training before its first epoch."""
    return train.begin(estimator, device) if isinstance(train, Stream) else estimator.begin(train, target, device)


def network_steps(training: Training, checkpoints: Checkpoints | None) -> Iterator[Step]:
    """Go on from the last checkpoint, which is yielded too: it may have been saved and never reported."""
    first = place_among()[0] == 0
    state = checkpoints.last() if checkpoints else None
    if state is not None:
        training.load(state)
        yield Step(training.epoch, training.epoch, first)
    found = training.epoch
    meter = GpuMeter(training.device) if training.device.is_gpu else None
    for epoch in training.epochs(meter.running if meter else nullcontext):
        if checkpoints and first:
            checkpoints.save(epoch, training.state())
        yield Step(epoch, found, first, together(meter.read(training)) if meter else None)


def together(reading: GpuUse) -> GpuUse:
    """The cards of all processes: mean utilisation, the most memory."""
    from torch import distributed

    processes = place_among()[1]
    if processes == 1:
        return reading
    readings: list[Any] = [None] * processes
    distributed.all_gather_object(readings, reading)
    shares = [each.utilisation for each in readings if each.utilisation is not None]
    most = max(each.peak_memory for each in readings)
    return reading.model_copy(update={"utilisation": mean(shares), "peak_memory": most})
