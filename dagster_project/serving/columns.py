"""From flat values to the columns that a model takes, held against the contract.

The number columns of width one are one array, looked at once; only where something is wrong there, or in a column that
is alone, is each of them looked at for what to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .breaches import breaches_of, fractions_of
from .problems import Problems
from .signature import FLOAT32_MAX, Expected, Signature
from .tensors import Values


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The columns of some rows, so that many requests are joined as few arrays.

    ``numbers`` are the columns of one number a row, float32, and ``texts`` those of one text, both (columns, rows) in
    the signature's order; ``others`` the wider ones by name, (rows, width).
    """

    signature: Signature
    numbers: npt.NDArray[np.float32]
    texts: npt.NDArray[np.object_]
    others: dict[str, npt.NDArray[Any]]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Every column by its name as onnxruntime takes it, (rows, width); narrow ones are views."""
        found = dict(zip(self.signature.numbers, self.numbers[:, :, None], strict=True))
        found.update(zip(self.signature.texts, self.texts[:, :, None], strict=True))
        found.update(self.others)
        return found


def joined(parts: Sequence[Columns]) -> Columns:
    """The rows of several requests behind each other. All were read for the same signature."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return Columns(
        first.signature,
        np.concatenate([part.numbers for part in parts], axis=1),
        np.concatenate([part.texts for part in parts], axis=1),
        {name: np.concatenate([part.others[name] for part in parts]) for name in first.others},
    )


def columns_of(values: Mapping[str, Values], rows: int, signature: Signature, problems: Problems) -> Columns:
    """The columns of a model's inputs; an absent one is missing in every row.

    What breaks the contract goes to ``problems``; of columns that are named there nothing more is said.
    """
    # what float32 cannot hold is infinite, and refused as that
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = _numbers(values, rows, signature, problems)
        alone = {each.name: _alone(values.get(each.name), rows, each, problems) for each in signature.alone}
    texts = np.empty((len(signature.texts), rows), object)
    for place, name in enumerate(signature.texts):
        texts[place] = alone.pop(name)[:, 0]
    return Columns(signature, numbers, texts, alone)


def _numbers(
    values: Mapping[str, Values], rows: int, signature: Signature, problems: Problems
) -> npt.NDArray[np.float32]:
    if not signature.narrow:
        return np.empty((0, rows), np.float32)
    absent = [None] * rows
    block = _floats([values.get(expected.name, absent) for expected in signature.narrow])
    if not _fine(block, signature):
        for expected, column in zip(signature.narrow, block[:, :, None], strict=True):
            _tell(expected, column, problems)
    return block


def _alone(values: Values | None, rows: int, expected: Expected, problems: Problems) -> npt.NDArray[Any]:
    shape = (rows, expected.width)
    if values is None:
        return np.full(shape, "" if expected.text else np.nan, object if expected.text else np.float32)
    if expected.text:
        texts = ["" if text is None else text for text in values] if None in values else values
        column: npt.NDArray[Any] = np.array(texts, object).reshape(shape)
        if not fine_texts(expected, texts):
            _tell(expected, column, problems)
        return column
    column = _floats(values).reshape(shape)
    if not _fine_numbers(expected, column):
        _tell(expected, column, problems)
    return column


def _floats(values: Any) -> npt.NDArray[np.float32]:
    """A float32 array of its own; None is NaN."""
    try:
        return np.array(values, np.float32)
    except OverflowError:  # integers that no float can hold
        return np.array(_bounded(values), np.float32)


def _bounded(value: Any) -> Any:
    if isinstance(value, list | np.ndarray):
        return [_bounded(entry) for entry in value]
    return np.inf if isinstance(value, int) and abs(value) > FLOAT32_MAX else value


def _fine(block: npt.NDArray[np.float32], signature: Signature) -> bool:
    if np.count_nonzero((block < signature.low) | (block > signature.high)):
        return False
    missing = block != block
    if np.count_nonzero(missing) and np.count_nonzero(missing & signature.must):
        return False
    if signature.whole is not None and np.count_nonzero(fractions_of(block) & signature.whole):
        return False
    # a missing value is in no set, so it sends its column to the careful look
    return all(accepted.issuperset(block[i].tolist()) for i, accepted in signature.enumerated)


def _fine_numbers(expected: Expected, column: npt.NDArray[np.float32]) -> bool:
    # a missing value makes both NaN, which is within nothing, so it sends its column to the careful look
    within = expected.low <= np.minimum.reduce(column, None) and np.maximum.reduce(column, None) <= expected.high
    return within and expected.accepted is None and not (expected.whole and np.count_nonzero(fractions_of(column)))


def fine_texts(expected: Expected, texts: Any) -> bool:
    """Whether no text breaks the contract; "" is a missing one."""
    if expected.accepted is not None and not expected.accepted.issuperset(texts):
        return False
    longest = expected.served.max_length
    if longest is not None and max(map(len, texts)) > longest:
        return False
    return not expected.required or "" not in texts


def _tell(expected: Expected, column: npt.NDArray[Any], problems: Problems) -> None:
    if expected.name not in problems.names:
        problems.extend(expected.name, breaches_of(expected, column))
