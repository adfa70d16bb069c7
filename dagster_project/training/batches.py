"""Where a network's rows come from, batch by batch, for one process or several. Torch and numpy alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dagster_project.training.device import CPU, Device
from dagster_project.training.processes import derived_seed, place_among

if TYPE_CHECKING:
    import torch


class Share(NamedTuple):
    """This process's part of one step's batch, on the device. ``weight``: its rows times processes by batch's rows."""

    inputs: "torch.Tensor"
    goals: "torch.Tensor"
    weight: float
    rows: int


class Batches(Protocol):
    """Where rows come from. Every process gets the same number of shares in an epoch."""

    def epoch(self, number: int, batch_size: int) -> Iterator[Share]:
        """The shares of an epoch (from 0): of ``batch_size`` rows over all processes each, the last of fewer."""


class ShuffledRows:
    """Rows in memory, in another order each epoch. ``inputs`` (rows, ...) and ``goals`` (rows, ...) are arrays."""

    def __init__(self, inputs: Any, goals: Any, seed: int, device: Device = CPU) -> None:
        resident = device.holds(inputs.nbytes + goals.nbytes)
        self.device, self.seed = device, seed
        self.place = device.name if resident else "cpu"
        self.inputs, self.goals = (tensor_of(rows).to(self.place) for rows in (inputs, goals))

    def epoch(self, number: int, batch_size: int) -> Iterator[Share]:
        """Each process takes every n-th row of a batch."""
        import torch

        rank, processes = place_among()
        shuffle = torch.Generator().manual_seed(derived_seed(self.seed, number))
        order = torch.randperm(len(self.inputs), generator=shuffle).to(self.place)
        for batch in torch.split(order, batch_size):
            own = batch[rank::processes]
            weight = len(own) * processes / len(batch)
            # a process without rows still takes part in the step, by a row that counts for nothing
            chosen = own if len(own) else batch[:1]
            inputs, goals = self.inputs[chosen].to(self.device.name), self.goals[chosen].to(self.device.name)
            yield Share(inputs, goals, weight, len(batch))


def tensor_of(array: Any) -> "torch.Tensor":
    """The array as a tensor over the same memory, which is only read: Ray's object store shares it among workers."""
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)
