"""What a model takes and answers, worked out once so that a request costs little."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.contract import Scalar
from dagster_project.domain.deployment import DesiredModel, ServedInput

FLOAT32_MAX = float(np.finfo(np.float32).max)
NUMBERS = ("FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL")
TEXTS = ("BYTES",)


@dataclass(frozen=True)
class OutputSpec:
    """A named output: label [n], probabilities [n, classes] or value [n, 1]."""

    name: str
    datatype: str
    width: int

    @property
    def shape(self) -> list[int]:
        """As metadata gives it; -1 is the number of rows."""
        return [-1] if self.name == "label" else [-1, self.width]


class Expected:
    """One input as a request's tensor must be. Bounds and categories are rounded to float32, as the values are."""

    def __init__(self, served: ServedInput) -> None:
        self.served = served
        self.name = served.name
        self.width = served.width
        self.required = served.required
        self.text = served.dtype == "string"
        self.datatypes = TEXTS if self.text else NUMBERS
        boolean = served.logical_type == "boolean"
        # what float32 cannot hold is infinite, and so beyond any bound
        self.low = _rounded(served.minimum, 0.0 if boolean else -FLOAT32_MAX)
        self.high = _rounded(served.maximum, 1.0 if boolean else FLOAT32_MAX)
        self.whole = not self.text and (boolean or served.logical_type == "integer")
        self.accepted = _accepted(served)
        # a number that may be anything within its bounds
        self.bounded = not self.text and not self.whole and self.accepted is None


class Signature:
    """Everything about a loaded model that reading a request and writing an answer need."""

    def __init__(
        self,
        inputs: tuple[ServedInput, ...],
        outputs: tuple[OutputSpec, ...],
        id_column: str | None = None,
        request_rows: int = 10_000,
        unread: tuple[str, ...] = (),
        time_column: str | None = None,
        classes: tuple[Scalar, ...] = (),
    ) -> None:
        """``unread``: columns of the contract that may be sent and are passed over; ``time_column`` is kept."""
        self.inputs = inputs
        self.outputs = outputs
        self.id_column = id_column
        self.request_rows = request_rows
        self.time_column = time_column
        self.unread = frozenset(unread) - {time_column}
        self.classes = classes
        self.beside = frozenset(name for name in (id_column, time_column) if name)
        self.expected = {served.name: Expected(served) for served in inputs}
        self.datatypes = {output.name: output.datatype for output in outputs}
        self.required = frozenset(served.name for served in inputs if served.required)

    @classmethod
    def of(cls, model: DesiredModel, manifest: BundleManifest) -> "Signature":
        """The signature of one model's bytes, as its contract and its manifest say."""
        outputs = tuple(_output(name, manifest) for name in manifest.outputs)
        most, classes = model.serving.request_rows, manifest.classes if "label" in manifest.outputs else ()
        return cls(model.inputs, outputs, model.id_column, most, model.unread, model.time_column, classes)

    @cached_property
    def form(self) -> tuple[tuple[str, bool, int], ...]:
        """Name, text or number, and width of each input: columns that were read for one signature fit all alike."""
        return tuple((e.name, e.text, e.width) for e in self.expected.values())

    @cached_property
    def every_output(self) -> dict[bool, tuple[tuple[str, bool], ...]]:
        """All outputs as a request asks for them, by whether it wants them as bytes."""
        return {binary: tuple((output.name, binary) for output in self.outputs) for binary in (False, True)}

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Names of the inputs of one number a row."""
        return tuple(e.name for e in self.narrow)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Names of the inputs of one text a row."""
        return tuple(e.name for e in self.expected.values() if e.text and e.width == 1)

    @cached_property
    def single(self) -> dict[str, Expected]:
        """The inputs of one number or text a row."""
        return {e.name: e for e in self.expected.values() if e.width == 1}

    @cached_property
    def wide_texts(self) -> bool:
        """Whether there is an input of several texts a row."""
        return any(e.text and e.width != 1 for e in self.expected.values())

    @cached_property
    def wide(self) -> tuple[tuple[str, int], ...]:
        """Names and widths of the inputs of several numbers a row."""
        return tuple((e.name, e.width) for e in self.expected.values() if not e.text and e.width != 1)

    @cached_property
    def narrow(self) -> tuple[Expected, ...]:
        """Number columns of width one: they are read and checked together, as one array."""
        return tuple(e for e in self.expected.values() if not e.text and e.width == 1)

    @cached_property
    def alone(self) -> tuple[Expected, ...]:
        """Every other column."""
        return tuple(e for e in self.expected.values() if e.text or e.width != 1)

    @cached_property
    def enumerated(self) -> tuple[tuple[int, "frozenset[float | str]"], ...]:
        """Position among the narrow columns, and what the contract allows there."""
        return tuple((i, e.accepted) for i, e in enumerate(self.narrow) if e.accepted is not None)

    @cached_property
    def low(self) -> npt.NDArray[np.float32]:
        """Least value of each narrow column, (columns, 1)."""
        return np.array([[e.low] for e in self.narrow], np.float32)

    @cached_property
    def high(self) -> npt.NDArray[np.float32]:
        """Greatest value of each narrow column, (columns, 1)."""
        return np.array([[e.high] for e in self.narrow], np.float32)

    @cached_property
    def must(self) -> npt.NDArray[np.bool_]:
        """Which narrow columns may not be missing, (columns, 1)."""
        return np.array([[e.required] for e in self.narrow], np.bool_)

    @cached_property
    def whole(self) -> npt.NDArray[np.bool_] | None:
        """Which narrow columns hold whole numbers, (columns, 1); None where none does."""
        whole = np.array([[e.whole] for e in self.narrow], np.bool_)
        return whole if whole.any() else None


def _rounded(bound: float | None, otherwise: float) -> float:
    """A bound as float32 holds it, so that a value on the bound is within it."""
    return float(np.float32(min(max(otherwise if bound is None else bound, -FLOAT32_MAX), FLOAT32_MAX)))


def _output(name: str, manifest: BundleManifest) -> OutputSpec:
    if name == "label":
        return OutputSpec(name, _datatype({type(value) for value in manifest.classes}), 1)
    return OutputSpec(name, "FP32", len(manifest.classes) if name == "probabilities" else 1)


def _datatype(kinds: set[type]) -> str:
    if kinds == {bool}:
        return "BOOL"
    return "INT64" if kinds == {int} else "BYTES"


def _accepted(served: ServedInput) -> "frozenset[float | str] | None":
    """Values that fit the contract's enum; the missing text is one of them unless it is required."""
    if served.enum is None:
        return None
    if served.dtype == "float32":
        return frozenset(float(np.float32(value)) for value in served.enum if not isinstance(value, str))
    missing = () if served.required else ("",)
    return frozenset((*(_text(value) for value in served.enum), *missing))


def _text(value: Scalar) -> str:
    """A category as the pipeline writes it in a text tensor."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
