"""A temporal convolutional network over one window (Bai, Kolter and Koltun 2018), in torch."""

from typing import TYPE_CHECKING, Any

from dagster_project.training.beside import beside
from dagster_project.training.layout import Layout
from dagster_project.training.network import NetworkEstimator

if TYPE_CHECKING:
    import torch

    from dagster_project.domain.families import Task

KERNEL = 3


def make(parameters: dict[str, Any], task: "Task", seed: int, layout: Layout) -> "Temporal":
    """``filters`` of each level; there are as many levels as see the whole window; the rest is the loop's."""
    return Temporal(parameters, task, seed, layout)


class Temporal(NetworkEstimator):
    """Levels of dilated causal convolutions, read at the window's last step."""

    def build(self, columns: int, outputs: int) -> "torch.nn.Module":
        """From (rows, columns) to (rows, outputs)."""
        import torch

        part, filters = self.layout.the("series"), int(self.parameters["filters"])
        levels, before, dilation, seen = [], 1, 1, 1
        while seen < part.shape[0]:
            levels.append(causal_level(before, filters, dilation, self.parameters["dropout"]))
            seen += 2 * (KERNEL - 1) * dilation
            before, dilation = filters, 2 * dilation

        class Body(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.levels = torch.nn.Sequential(*levels)

            def forward(self, matrix: "torch.Tensor") -> "torch.Tensor":
                steps: torch.Tensor = self.levels(matrix.unsqueeze(1))
                return torch.cat([steps[:, :, -1], matrix[:, -1:]], dim=1)

        return beside(part, Body(), filters + 1, columns, outputs)


def causal_level(before: int, after: int, dilation: int, dropout: float) -> "torch.nn.Module":
    """Two convolutions that look back only, whose answer is added to what came in."""
    import torch

    def back(given: int) -> "list[torch.nn.Module]":
        padding = torch.nn.ConstantPad1d(((KERNEL - 1) * dilation, 0), 0.0)
        return [
            padding,
            torch.nn.Conv1d(given, after, KERNEL, dilation=dilation),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
        ]

    class Level(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Sequential(*back(before), *back(after))
            self.outer = torch.nn.Identity() if before == after else torch.nn.Conv1d(before, after, 1)

        def forward(self, steps: "torch.Tensor") -> "torch.Tensor":
            return torch.relu(self.inner(steps) + self.outer(steps))

    return Level()
