"""From flat values to the columns that a model takes, held against the contract.

The number columns of width one are one array, looked at once; only where something is wrong there, or in a column that
is alone, is each of them looked at for what to say.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .breaches import breaches_of, fractions_of
from .problems import Problems
from .signature import FLOAT32_MAX, Expected, Signature
from .tensors import Values

Columns = dict[str, npt.NDArray[Any]]


def columns_of(values: Mapping[str, Values], rows: int, signature: Signature, problems: Problems) -> Columns:
    """One (rows, width) array an input, float32 or text; an absent one is missing in every row.

    What breaks the contract goes to ``problems``; of columns that are named there nothing more is said.
    """
    # what float32 cannot hold is infinite, and refused as that
    with np.errstate(over="ignore", invalid="ignore"):
        columns = _narrow(values, rows, signature, problems)
        for expected in signature.alone:
            columns[expected.name] = _alone(values.get(expected.name), rows, expected, problems)
    return columns


def _narrow(values: Mapping[str, Values], rows: int, signature: Signature, problems: Problems) -> Columns:
    if not signature.narrow:
        return {}
    absent = [None] * rows
    lists = [values.get(expected.name, absent) for expected in signature.narrow]
    block = _floats(lists)
    columns = dict(zip([e.name for e in signature.narrow], block[:, :, None], strict=True))
    if not _fine(block, signature):
        for expected in signature.narrow:
            _tell(expected, columns[expected.name], problems)
    return columns


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
