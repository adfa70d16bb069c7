"""Training rows that stay in their file, and what a network needs to train on them: preparation, goals, batches."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dagster_project.domain.bundle import Input
from dagster_project.inference.frames import tensors
from dagster_project.training.device import Device
from dagster_project.training.loop import Training
from dagster_project.training.rows import Label, encode_target, frame_of, refuse_infinite
from dagster_project.training.streaming import StreamedBatches

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from dagster_project.training.network import NetworkEstimator


@dataclass(frozen=True)
class Stream:
    """The labelled rows of a Parquet file.

    ``shift`` and ``scale`` standardise a regression's target. ``buffer`` is how many bytes of prepared rows one
    training holds, to mix them.
    """

    uri: str
    rows: int
    inputs: tuple[Input, ...]
    target: str
    classes: tuple[Label, ...]
    shift: float
    scale: float
    buffer: int
    transformer: Any = None
    selector: Any = None

    def prepared_by(self, transformer: Any) -> "Stream":
        """The same rows behind a fitted preparation."""
        return replace(self, transformer=transformer)

    def selected_by(self, selector: Any) -> "Stream":
        """The same rows, of which a selector keeps some prepared columns; None keeps all."""
        return replace(self, selector=selector)

    def begin(self, estimator: "NetworkEstimator", device: Device) -> Training:
        """A training over these rows, before its first epoch. Ray is connected while it runs."""
        width = self.width()
        batches = StreamedBatches(self, max(1, self.buffer // (4 * width)), estimator.seed, device)
        return estimator.start(width, len(self.classes) or 1, batches, device, self.shift, self.scale)

    def width(self) -> int:
        """Prepared columns."""
        import polars as pl

        matrix = self.prepare(pl.DataFrame({item.name: [None] for item in self.inputs}))
        return int(matrix.shape[1])

    def prepare(self, table: "pl.DataFrame") -> "np.ndarray":
        """The float32 matrix (rows, columns) that the network sees of raw rows.

        Raises:
            RefusedError: a value is infinite in float32.
        """
        import numpy as np

        columns = tensors(table, self.inputs)
        refuse_infinite(columns, self.inputs, "train")
        matrix = self.transformer.transform(frame_of(columns, self.inputs))
        matrix = matrix if self.selector is None else self.selector.transform(matrix)
        return np.ascontiguousarray(matrix, dtype=np.float32)

    def goals(self, target: "pl.Series") -> "np.ndarray":
        """What the network learns: class indexes (rows,), or standardised values (rows, 1) in float32."""
        import numpy as np

        encoded = encode_target(target, self.classes, "train")
        return encoded if self.classes else ((encoded - self.shift) / self.scale).astype(np.float32)[:, None]
