"""A small convolutional network over one image (LeCun et al. 1998), in torch."""

from typing import TYPE_CHECKING, Any

from dagster_project.training.beside import as_images, beside
from dagster_project.training.layout import Layout
from dagster_project.training.network import NetworkEstimator

if TYPE_CHECKING:
    import torch

    from dagster_project.domain.families import Task


def make(parameters: dict[str, Any], task: "Task", seed: int, layout: Layout) -> "Convolutional":
    """``filters`` of the first block, twice as many in the second; the rest is the loop's."""
    return Convolutional(parameters, task, seed, layout)


class Convolutional(NetworkEstimator):
    """Two blocks of convolution, ReLU and pooling, then a hidden layer."""

    def build(self, columns: int, outputs: int) -> "torch.nn.Module":
        """From (rows, columns) to (rows, outputs)."""
        import torch

        part, filters, hidden = (
            self.layout.the("image"),
            int(self.parameters["filters"]),
            int(self.parameters["hidden"]),
        )
        height, width, channels = part.shape
        body = torch.nn.Sequential(
            as_images(part.shape),
            *_block(channels, filters),
            *_block(filters, 2 * filters),
            torch.nn.Flatten(),
            torch.nn.Dropout(self.parameters["dropout"]),
            torch.nn.Linear(2 * filters * _halved(height) * _halved(width), hidden),
            torch.nn.ReLU(),
            torch.nn.Dropout(self.parameters["dropout"]),
        )
        return beside(part, body, hidden, columns, outputs)


def _block(before: int, after: int) -> "list[torch.nn.Module]":
    import torch

    return [
        torch.nn.Conv2d(before, after, kernel_size=3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2, ceil_mode=True),
    ]


def _halved(side: int) -> int:
    """After two poolings that round up."""
    return (side + 3) // 4
