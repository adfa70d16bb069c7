"""The mean of a text's embedded words, and what stands beside them (Joulin et al. 2017), in torch."""

from typing import TYPE_CHECKING, Any

from dagster_project.training.beside import beside
from dagster_project.training.layout import Layout
from dagster_project.training.network import NetworkEstimator

if TYPE_CHECKING:
    import torch

    from dagster_project.domain.families import Task

REACH = 3
"""Words that a filter sees at once."""


def make(parameters: dict[str, Any], task: "Task", seed: int, layout: Layout) -> "EmbeddingBag":
    """``width`` of an embedding; the rest is the loop's."""
    return EmbeddingBag(parameters, task, seed, layout)


class EmbeddingBag(NetworkEstimator):
    """Embeddings from a hashed vocabulary; their mean, and the most that filters find in neighbouring words."""

    def build(self, columns: int, outputs: int) -> "torch.nn.Module":
        """From (rows, columns) to (rows, outputs)."""
        part, width = self.layout.the("text"), int(self.parameters["width"])
        return beside(part, bag(width, self.parameters["dropout"]), 2 * width, columns, outputs)


def bag(width: int, dropout: float) -> "torch.nn.Module":
    """From places in the vocabulary, (rows, words) of float32, to (rows, 2 * width)."""
    import torch

    from dagster_project.training.tokens import BUCKETS

    class Bag(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(BUCKETS + 1, width, padding_idx=0)
            self.filters = torch.nn.Conv1d(width, width, REACH, padding=REACH // 2)
            self.dropout = torch.nn.Dropout(dropout)

        def forward(self, places: "torch.Tensor") -> "torch.Tensor":
            embedded = self.embedding(places.long())
            there = (places > 0).to(embedded.dtype)[..., None]
            mean = (embedded * there).sum(dim=1) / there.sum(dim=1).clamp(min=1.0)
            found = torch.relu(self.filters(embedded.transpose(1, 2))).amax(dim=2)
            dropped: torch.Tensor = self.dropout(torch.cat([mean, found], dim=1))
            return dropped

    return Bag()
