"""Multi-layer perceptron in torch over the prepared columns; its first layer embeds the one-hot categories."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dagster_project.domain.families import Task

if TYPE_CHECKING:
    import numpy as np
    import torch


def make(parameters: dict[str, Any], task: Task, seed: int) -> "Network":
    """``hidden`` names the widths of the layers, such as ``128,64``; the rest is AdamW's and the loop's."""
    return Network(parameters, task, seed)


class Network:
    """A perceptron trained by AdamW (Loshchilov and Hutter 2019), one epoch a step, deterministic on one thread."""

    def __init__(self, parameters: dict[str, Any], task: Task, seed: int) -> None:
        self.parameters = parameters
        self.task = task
        self.seed = seed

    def fit_steps(self, matrix: "np.ndarray", target: "np.ndarray") -> Iterator[int]:
        """Train on a float32 matrix; an item an epoch. Regression learns the standardised target."""
        import numpy as np
        import torch

        torch.manual_seed(self.seed)
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(1)
        regression = self.task == "regression"
        self.shift, self.scale = (float(target.mean()), float(target.std()) or 1.0) if regression else (0.0, 1.0)
        self.columns = matrix.shape[1]
        outputs = 1 if regression else int(target.max()) + 1
        self.network = build_network(matrix.shape[1], self.parameters, outputs)
        goal = ((target - self.shift) / self.scale).astype(np.float32)[:, None] if regression else target
        inputs, goals = torch.tensor(matrix), torch.tensor(goal)
        loss = torch.nn.MSELoss() if regression else torch.nn.CrossEntropyLoss()
        optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=self.parameters["learning_rate"], weight_decay=self.parameters["weight_decay"]
        )
        shuffle = torch.Generator().manual_seed(self.seed)
        for epoch in range(self.parameters["epochs"]):
            order = torch.randperm(len(inputs), generator=shuffle)
            self._epoch(inputs, goals, order, loss, optimiser)
            yield epoch + 1

    def fit(self, matrix: "np.ndarray", target: "np.ndarray") -> "Network":
        """All epochs."""
        for _ in self.fit_steps(matrix, target):
            pass
        return self

    def predict_proba(self, matrix: "np.ndarray") -> "np.ndarray":
        """Probabilities of the classes, float32 of shape (rows, classes)."""
        return self._forward(matrix, self.answering())

    def predict(self, matrix: "np.ndarray") -> "np.ndarray":
        """Class indexes of shape (rows,), or float32 values of shape (rows,)."""
        answers = self._forward(matrix, self.answering())
        return answers[:, 0] if self.task == "regression" else answers.argmax(axis=1)

    def answering(self) -> "torch.nn.Module":
        """The network in evaluation mode with its answers in the target's units: what is exported."""
        import torch

        self.network.eval()
        if self.task != "regression":
            return torch.nn.Sequential(self.network, torch.nn.Softmax(dim=1))
        last = torch.nn.Linear(1, 1)
        with torch.no_grad():
            last.weight.fill_(self.scale)
            last.bias.fill_(self.shift)
        return torch.nn.Sequential(self.network, last).eval()

    def _epoch(self, inputs: Any, goals: Any, order: Any, loss: Any, optimiser: Any) -> None:
        self.network.train()
        for batch in order.split(self.parameters["batch_size"]):
            optimiser.zero_grad()
            loss(self.network(inputs[batch]), goals[batch]).backward()
            optimiser.step()

    def _forward(self, matrix: "np.ndarray", network: "torch.nn.Module") -> "np.ndarray":
        import torch

        with torch.inference_mode():
            answers: np.ndarray = network(torch.tensor(matrix)).numpy()
        return answers


def build_network(inputs: int, parameters: dict[str, Any], outputs: int) -> "torch.nn.Module":
    """Linear, ReLU and dropout for each hidden width, then a linear layer."""
    import torch

    widths = [inputs, *(int(width) for width in parameters["hidden"].split(","))]
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(widths):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU(), torch.nn.Dropout(parameters["dropout"])]
    return torch.nn.Sequential(*layers, torch.nn.Linear(widths[-1], outputs))
