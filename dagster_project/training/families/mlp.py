"""Multi-layer perceptron in torch over the prepared columns; its first layer embeds the one-hot categories."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dagster_project.training.layout import Layout
from dagster_project.training.network import NetworkEstimator

if TYPE_CHECKING:
    import torch

    from dagster_project.domain.families import Task


def make(parameters: dict[str, Any], task: "Task", seed: int, layout: Layout) -> "Perceptron":
    """``hidden`` names the widths of the layers, such as ``128,64``; the rest is the loop's."""
    return Perceptron(parameters, task, seed, layout)


class Perceptron(NetworkEstimator):
    """Linear layers with ReLU and dropout."""

    def build(self, columns: int, outputs: int) -> "torch.nn.Module":
        """See :func:`build_network`."""
        return build_network(columns, self.parameters, outputs)


def build_network(inputs: int, parameters: dict[str, Any], outputs: int) -> "torch.nn.Module":
    """Linear, ReLU and dropout for each hidden width, then a linear layer."""
    import torch

    widths = [inputs, *(int(width) for width in parameters["hidden"].split(","))]
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(widths):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU(), torch.nn.Dropout(parameters["dropout"])]
    return torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], outputs))
