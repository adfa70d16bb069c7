"""Answers of an exported model. Nothing but numpy and onnxruntime is imported, so that serving stays small."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagster_project.domain.bundle import BundleManifest, Input
from dagster_project.domain.errors import RefusedError

from .inspection import inspect_onnx
from .limits import Limits, Meter
from .session import session_options

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime as ort

SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Answers:
    """What a model answered to n rows.

    Classification: ``codes`` (n,) int64 are positions in ``classes``, ``scores`` (n, classes) float64 are
    probabilities in the order of ``classes``. Regression: ``values`` (n,) float64.
    """

    classes: tuple[str | int | bool, ...] = ()
    codes: "np.ndarray | None" = None
    scores: "np.ndarray | None" = None
    values: "np.ndarray | None" = None

    def __len__(self) -> int:
        column = self.values if self.codes is None else self.codes
        return 0 if column is None else len(column)

    @property
    def labels(self) -> "np.ndarray":
        """The answered classes (n,), or the values of a regression."""
        import numpy as np

        if self.codes is None:
            return np.asarray(self.values)
        return np.asarray(np.asarray(self.classes)[self.codes])


class OnnxPredictor:
    """Runs a bundle's ONNX file on raw contract columns, a stranger's within ``limits``.

    The file is inspected before any session is made. Raises RefusedError when the file is refused, cannot be loaded,
    or answers with what no answer can be: labels outside the manifest's classes, numbers that are not finite,
    probabilities that do not sum to one; or takes more memory or time than the limits.
    """

    def __init__(self, data: bytes, manifest: BundleManifest, threads: int = 1, limits: Limits | None = None) -> None:
        import onnxruntime as ort

        inspect_onnx(data, manifest)
        options = session_options(threads)
        options.use_deterministic_compute = True
        self.manifest = manifest
        self._errors = _runtime_errors()
        self._meter = Meter(limits) if limits else None
        # folding runs nodes while it loads, where nothing could end them
        disabled = ["ConstantFolding"] if limits else []
        try:
            with self._running():
                self._session = ort.InferenceSession(
                    data, options, providers=["CPUExecutionProvider"], disabled_optimizers=disabled
                )
        except self._errors as error:
            raise RefusedError(f"onnxruntime cannot load the ONNX file: {error}. Export it again.") from None

    def predict(self, columns: Mapping[str, Any]) -> Answers:
        """Answer to columns of shape (n,) or (n, width): numbers (NaN is missing) or text ("" is missing)."""
        feed = {entry.name: _tensor(columns, entry) for entry in self.manifest.inputs}
        lengths = {len(tensor) for tensor in feed.values()}
        if len(lengths) != 1:
            raise RefusedError(f"the columns have different lengths: {sorted(lengths)}; pass one row of each")
        rows = lengths.pop()
        parts = [self._run(part) for part in batches(feed, rows, self.manifest.rows_a_run)]
        return self._answers(parts, rows)

    def _run(self, feed: dict[str, Any]) -> "list[np.ndarray]":
        try:
            with self._running() as options:
                return list(self._session.run(list(self.manifest.outputs), feed, options))
        except self._errors as error:
            within = f" (it may take {self._meter.limits})" if self._meter else ""
            raise RefusedError(f"{self.manifest.model}'s ONNX file does not answer{within}: {error}") from None

    def _running(self) -> "AbstractContextManager[ort.RunOptions | None]":
        return self._meter.running() if self._meter else nullcontext()

    def _answers(self, parts: "list[list[np.ndarray]]", rows: int) -> Answers:
        import numpy as np

        classes = self.manifest.classes
        if self.manifest.task == "regression":
            values = np.concatenate([part[0] for part in parts]) if parts else np.empty((0, 1))
            return Answers(values=_finite(_shaped(values, (rows, 1)), "value")[:, 0])
        if not parts:
            return Answers(classes=classes, codes=np.empty(0, np.int64), scores=np.empty((0, len(classes))))
        labels, scores = (np.concatenate([part[i] for part in parts]) for i in self._order())
        codes = encode(_shaped(labels.reshape(-1), (rows,)), classes)
        if (codes < 0).any():
            raise RefusedError("the model answers with labels that are not in the manifest's classes; build it again")
        return Answers(classes=classes, codes=codes, scores=_probabilities(_shaped(scores, (rows, len(classes)))))

    def _order(self) -> tuple[int, int]:
        return self.manifest.outputs.index("label"), self.manifest.outputs.index("probabilities")


def encode(labels: "np.ndarray", classes: tuple[str | int | bool, ...]) -> "np.ndarray":
    """Positions (n,) int64 of ``labels`` in ``classes``; -1 where a label is none of them."""
    import numpy as np

    if not len(labels):
        return np.empty(0, np.int64)
    known = {value: position for position, value in enumerate(classes)}
    distinct, inverse = np.unique(labels.astype(object) if labels.dtype.kind == "O" else labels, return_inverse=True)
    return np.array([known.get(value, -1) for value in distinct.tolist()], np.int64)[inverse]


def _tensor(columns: Mapping[str, Any], entry: Input) -> "np.ndarray":
    import numpy as np

    if entry.name not in columns:
        raise RefusedError(f"the column {entry.name!r} is missing; the model needs it")
    column = np.asarray(columns[entry.name])
    if entry.dtype == "float32" and column.dtype.kind not in "biuf":
        raise RefusedError(f"the column {entry.name!r} must hold numbers, not {column.dtype}")
    if entry.dtype == "string" and column.dtype.kind not in "OU":
        raise RefusedError(f"the column {entry.name!r} must hold text, not {column.dtype}")
    fits = (column.ndim == 2 and column.shape[1] == entry.width) or column.ndim == 1 == entry.width
    if not fits:
        due = "(rows,) or (rows, 1)" if entry.width == 1 else f"(rows, {entry.width})"
        raise RefusedError(f"the column {entry.name!r} has shape {column.shape}; it must be {due}")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, as in training
        return column.reshape(-1, entry.width).astype(np.float32 if entry.dtype == "float32" else object, copy=False)


def batches(feed: "dict[str, np.ndarray]", rows: int, most: int) -> "Iterator[dict[str, np.ndarray]]":
    """Parts of ``most`` rows at most."""
    for start in range(0, rows, most):
        yield {name: tensor[start : start + most] for name, tensor in feed.items()}


def _shaped(output: "np.ndarray", shape: tuple[int, ...]) -> "np.ndarray":
    if output.shape != shape:
        raise RefusedError(f"the model answers with shape {output.shape} where {shape} is due; export it again")
    return output


def _finite(output: "np.ndarray", name: str) -> "np.ndarray":
    import numpy as np

    output = output.astype(np.float64)
    if not np.isfinite(output).all():
        raise RefusedError(f"the model's {name} is not a finite number for some rows; mend the graph")
    return output


def _probabilities(scores: "np.ndarray") -> "np.ndarray":
    """Anything but probabilities would cheat the log loss."""
    scores = _finite(scores, "probabilities")
    # an empty row set has no minimum
    if len(scores) and (scores.min() < -SUM_TOLERANCE or abs(scores.sum(axis=1) - 1.0).max() > SUM_TOLERANCE):
        raise RefusedError("the model's probabilities are negative or do not sum to one; export a normalised graph")
    return scores


def _runtime_errors() -> tuple[type[Exception], ...]:
    """onnxruntime's own exceptions, which have no base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception)]
    return (*found, ValueError, RuntimeError, MemoryError)
