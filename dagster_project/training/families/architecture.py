"""The model's own network: ``models/NAME/architecture.py``."""

from typing import TYPE_CHECKING, Any

from dagster_project.training.beginning import own_network
from dagster_project.training.layout import Layout
from dagster_project.training.network import NetworkEstimator

if TYPE_CHECKING:
    import torch

    from dagster_project.domain.families import Task


def make(parameters: dict[str, Any], task: "Task", seed: int, layout: Layout) -> "Own":
    """The network's parameters are what its code reads, the rest is the loop's."""
    return Own(parameters, task, seed, layout)


class Own(NetworkEstimator):
    """What ``network(layout, outputs, parameters)`` returns: from (rows, columns) to (rows, outputs)."""

    def build(self, columns: int, outputs: int) -> "torch.nn.Module":
        """See :func:`beginning.own_network`."""
        return own_network(self.beginning, self.layout, outputs, self.parameters)
