"""A network of one image, window or text, and of whatever else the row has. Torch alone."""

from typing import TYPE_CHECKING

from dagster_project.training.layout import Part

if TYPE_CHECKING:
    import torch


def beside(part: Part, body: "torch.nn.Module", features: int, columns: int, outputs: int) -> "torch.nn.Module":
    """From (rows, columns) to (rows, outputs): ``body`` makes ``features`` of the part's columns, (rows, stop - start);
    a linear layer reads them together with the other columns."""
    import torch

    class Beside(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = body
            self.head = torch.nn.Linear(features + columns - (part.stop - part.start), outputs)

        def forward(self, matrix: "torch.Tensor") -> "torch.Tensor":
            seen = [self.body(matrix[:, part.start : part.stop])]
            if part.start > 0:
                seen.append(matrix[:, : part.start])
            if part.stop < columns:
                seen.append(matrix[:, part.stop :])
            answers: torch.Tensor = self.head(torch.cat(seen, dim=1) if len(seen) > 1 else seen[0])
            return answers

    return Beside()


def as_images(shape: tuple[int, ...]) -> "torch.nn.Module":
    """From (rows, height * width * channels) to (rows, channels, height, width)."""
    import torch

    height, width, channels = shape

    class Images(torch.nn.Module):
        def forward(self, matrix: "torch.Tensor") -> "torch.Tensor":
            return matrix.reshape(-1, height, width, channels).permute(0, 3, 1, 2)

    return Images()
