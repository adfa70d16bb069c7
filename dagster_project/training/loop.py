"""The epoch loop under every network family: a family gives network and loss. Torch and numpy alone.

``Training`` runs by itself or, where torch.distributed is initialised, as one of the processes that train one network
(DistributedDataParallel, Li et al. 2020). A step is a batch of ``batch_size`` rows over all processes together, and the
gradient is the batch's mean whatever the shares: so another number of processes is the same problem.

An epoch depends on the seed, its number and the weights alone, so what resumes from :meth:`Training.state` goes on as
if it had never stopped: bit by bit with one process on a CPU.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dagster_project.training.device import CPU, Device, settle

if TYPE_CHECKING:
    import torch

Loss = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained, by AdamW (Loshchilov and Hutter 2019).

    ``batch_size`` counts the rows of a step over all processes; a gradient's norm above ``clip`` is brought down to it
    (Pascanu et al. 2013).
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    clip: float
    seed: int


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


class Training:
    """A network on its way through its epochs."""

    def __init__(
        self, network: "torch.nn.Module", loss: Loss, batches: Batches, recipe: Recipe, device: Device = CPU
    ) -> None:
        """``loss`` is a mean over rows. The network moves to the device."""
        import torch

        settle(device)
        self.network = network.to(device.name)
        self.loss, self.batches, self.recipe, self.device = loss, batches, recipe, device
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.epoch, self.rows, self.seconds = 0, 0, 0.0
        self._shared = distribute(self.network, device)

    def epochs(self, watch: Callable[[], AbstractContextManager[Any]] = nullcontext) -> Iterator[int]:
        """Train on, yielding the number of epochs done after each. ``watch()`` is entered while one runs."""
        while self.epoch < self.recipe.epochs:
            begin = time.perf_counter()
            with watch():
                self.rows += self._train(self.epoch)
            self.seconds += time.perf_counter() - begin
            self.epoch += 1
            yield self.epoch

    @property
    def samples_per_second(self) -> float:
        """Rows that all processes trained on since this process began, by second."""
        return self.rows / self.seconds if self.seconds else 0.0

    def state(self) -> dict[str, Any]:
        """Everything that the next epoch depends on; ``torch.save`` takes it."""
        return {
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state that a training of the same family, parameters and rows left."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.epoch = state["epoch"]

    def _train(self, number: int) -> int:
        """One epoch; its rows."""
        import torch

        seed_epoch(self.recipe.seed, number)
        self.network.train()
        rows = 0
        for share in self.batches.epoch(number, self.recipe.batch_size):
            self.optimiser.zero_grad()
            with self.device.autocast():
                loss = self.loss(self._shared(share.inputs), share.goals) * share.weight
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
            self.optimiser.step()
            rows += share.rows
        if self.device.is_gpu:
            torch.cuda.synchronize()  # the card works behind us, and the clock must not stop before it does
        return rows


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
        order = torch.randperm(len(self.inputs), generator=shuffle)
        for batch in torch.split(order, batch_size):
            own = batch[rank::processes]
            weight = len(own) * processes / len(batch)
            # a process without rows still takes part in the step, by a row that counts for nothing
            chosen = (own if len(own) else batch[:1]).to(self.place)
            inputs, goals = self.inputs[chosen].to(self.device.name), self.goals[chosen].to(self.device.name)
            yield Share(inputs, goals, weight, len(batch))


def tensor_of(array: Any) -> "torch.Tensor":
    """The array as a tensor over the same memory, which is only read: Ray's object store shares it among workers."""
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array)


def place_among() -> tuple[int, int]:
    """This process's rank and the number of processes that train together: (0, 1) alone."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def distribute(network: "torch.nn.Module", device: Device) -> "torch.nn.Module":
    """The network with gradients averaged over all processes; itself where there is one."""
    from torch.nn.parallel import DistributedDataParallel

    if place_among()[1] == 1:
        return network
    return DistributedDataParallel(network, device_ids=[device.name] if device.is_gpu else None)


def derived_seed(*numbers: int) -> int:
    """One seed out of several numbers, so that streams drawn for different purposes have nothing in common."""
    import numpy as np

    entropy = [number % 2**64 for number in numbers]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


def seed_epoch(seed: int, number: int) -> None:
    """What an epoch draws besides its order (dropout) is its own in each process."""
    import torch

    torch.manual_seed(derived_seed(seed, number, 1 + place_among()[0]))
