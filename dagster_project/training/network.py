"""An estimator around a network: what its family gives is a module and a recipe. Torch and numpy alone."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from dagster_project.training.batches import Batches, ShuffledRows, tensor_of
from dagster_project.training.beginning import Beginning, take_weights
from dagster_project.training.device import CPU, Device, settle
from dagster_project.training.layout import Layout
from dagster_project.training.loop import Loss, Recipe, Training

if TYPE_CHECKING:
    import numpy as np
    import torch

_NUMBERS = 2**22  # of a matrix, answered at once


class NetworkEstimator(ABC):
    """Follows scikit-learn's conventions, trains in steps. A family's module overrides :meth:`build`."""

    def __init__(self, parameters: dict[str, Any], task: str, seed: int, layout: Layout) -> None:
        self.parameters, self.task, self.seed, self.layout = parameters, task, seed, layout
        self.beginning = Beginning()

    @abstractmethod
    def build(self, columns: int, outputs: int) -> "torch.nn.Module":
        """The untrained network: from (rows, columns) to (rows, outputs), logits for classes."""

    @property
    def recipe(self) -> Recipe:
        """How the network is trained; every family of networks has these parameters."""
        names = ("epochs", "batch_size", "learning_rate", "weight_decay", "clip")
        return Recipe(**{name: self.parameters[name] for name in names}, seed=self.seed)

    def begin(self, matrix: "np.ndarray", target: "np.ndarray", device: Device = CPU) -> Training:
        """A training over a float32 matrix, before its first epoch. Regression learns the standardised target."""
        import numpy as np

        shift, scale, outputs = 0.0, 1.0, 1
        if self.task == "regression":
            shift, scale = float(target.mean()), float(target.std()) or 1.0
            goals = ((target - shift) / scale).astype(np.float32)[:, None]
        else:
            goals, outputs = target, int(target.max()) + 1
        return self.start(
            matrix.shape[1], outputs, ShuffledRows(matrix, goals, self.seed, device), device, shift, scale
        )

    def start(
        self,
        columns: int,
        outputs: int,
        batches: Batches,
        device: Device = CPU,
        shift: float = 0.0,
        scale: float = 1.0,
    ) -> Training:
        """A training over batches from anywhere. Goals are class indexes, or (rows, 1) values, (y - shift) / scale."""
        import torch

        settle(device)
        torch.manual_seed(self.seed)
        self.columns, self.shift, self.scale, self.device = columns, shift, scale, device
        self.network = self.build(columns, outputs)
        if self.beginning.weights:
            take_weights(self.network, self.beginning)
        return Training(self.network, self.loss(), batches, self.recipe, device)

    def loss(self) -> Loss:
        """The mean loss of a batch."""
        import torch

        return torch.nn.MSELoss() if self.task == "regression" else torch.nn.CrossEntropyLoss()

    def predict_proba(self, matrix: "np.ndarray") -> "np.ndarray":
        """Probabilities of the classes, float32 of shape (rows, classes)."""
        return self._forward(matrix)

    def predict(self, matrix: "np.ndarray") -> "np.ndarray":
        """Class indexes of shape (rows,), or float32 values of shape (rows,)."""
        answers = self._forward(matrix)
        return answers[:, 0] if self.task == "regression" else answers.argmax(axis=1)

    def answering(self) -> "torch.nn.Module":
        """The network in evaluation mode with its answers in the target's units: what is exported."""
        import torch

        self.network.eval()
        if self.task != "regression":
            return torch.nn.Sequential(self.network, torch.nn.Softmax(dim=1))
        last = torch.nn.Linear(1, 1, device=self.device.name)
        with torch.no_grad():
            last.weight.fill_(self.scale)
            last.bias.fill_(self.shift)
        return torch.nn.Sequential(self.network, last).eval()

    def _forward(self, matrix: "np.ndarray") -> "np.ndarray":
        """Answers in float32, on the device the network trains on."""
        import torch

        network, rows = self.answering(), max(1, _NUMBERS // max(1, matrix.shape[1]))
        with torch.inference_mode():
            parts = [network(chunk.to(self.device.name)).cpu() for chunk in torch.split(tensor_of(matrix), rows)]
            answers: np.ndarray = torch.cat(parts).numpy()
        return answers
