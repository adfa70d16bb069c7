"""A residual network over one image (He et al. 2016), in torch. Nothing is normalised: a block begins by adding nothing
(De and Smith 2020), so a row's answer depends on no other row of its batch, on one process or on many."""

from typing import TYPE_CHECKING, Any

from dagster_project.training.beside import as_images, beside
from dagster_project.training.layout import Layout
from dagster_project.training.network import NetworkEstimator

if TYPE_CHECKING:
    import torch

    from dagster_project.domain.families import Task


def make(parameters: dict[str, Any], task: "Task", seed: int, layout: Layout) -> "Residual":
    """``filters`` of the first stage, twice as many in each further one; ``blocks`` a stage; the rest is the loop's."""
    return Residual(parameters, task, seed, layout)


class Residual(NetworkEstimator):
    """A stem, three stages of residual blocks, the mean over the picture."""

    def build(self, columns: int, outputs: int) -> "torch.nn.Module":
        """From (rows, columns) to (rows, outputs)."""
        import torch

        part, filters = self.layout.the("image"), int(self.parameters["filters"])
        layers: list[torch.nn.Module] = [as_images(part.shape), torch.nn.Conv2d(part.shape[2], filters, 3, padding=1)]
        before = filters
        for stage in range(3):
            for block in range(int(self.parameters["blocks"])):
                after = filters * 2**stage
                layers.append(residual_block(before, after, stride=2 if stage and not block else 1))
                before = after
        layers += [
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
            torch.nn.Dropout(self.parameters["dropout"]),
        ]
        return beside(part, torch.nn.Sequential(*layers), before, columns, outputs)


def residual_block(before: int, after: int, stride: int) -> "torch.nn.Module":
    """Two convolutions whose answer is added to what came in."""
    import torch

    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Sequential(
                torch.nn.ReLU(),
                torch.nn.Conv2d(before, after, 3, stride=stride, padding=1),
                torch.nn.ReLU(),
                torch.nn.Conv2d(after, after, 3, padding=1),
            )
            self.share = torch.nn.Parameter(torch.zeros(1))
            same = before == after and stride == 1
            self.outer = torch.nn.Identity() if same else torch.nn.Conv2d(before, after, 1, stride=stride)

        def forward(self, images: "torch.Tensor") -> "torch.Tensor":
            added: torch.Tensor = self.outer(images) + self.share * self.inner(images)
            return added

    return Block()
