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
from typing import TYPE_CHECKING, Any

from dagster_project.training.batches import Batches
from dagster_project.training.device import CPU, Device, settle
from dagster_project.training.processes import distribute, seed_epoch

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
            self.network.parameters(),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            fused=device.is_gpu,  # one kernel for all weights: a small network waits for kernels, not for sums
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
