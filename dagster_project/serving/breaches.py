"""What in a column breaks its contract, in words: where to look in the request, and what to send instead."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .problems import shown
from .signature import Expected


def breaches_of(expected: Expected, column: npt.NDArray[Any]) -> Iterator[str]:
    """Every way in which a (rows, width) column breaks its contract, each with its first row."""
    return _texts(expected, column) if expected.text else _numbers(expected, column)


def fractions_of(numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Where a number is no whole one; what is missing or infinite has no fraction."""
    fractions: npt.NDArray[np.bool_] = np.abs(numbers - np.rint(numbers)) > 0
    return fractions


def _numbers(expected: Expected, column: npt.NDArray[np.float32]) -> Iterator[str]:
    missing = np.isnan(column)
    whole: npt.NDArray[np.bool_] = np.asarray(missing.all(axis=1))[:, None]
    lost = whole if expected.served.modality == "series" else missing  # sensors leave out steps
    if expected.required and lost.any():
        yield f"{_row(lost)} is missing, but the column is required; send a number"
    if expected.served.modality == "image":
        torn = missing & ~whole
        if torn.any():
            yield f"{_row(torn)} lacks some of its pixels; send all of them, or none where the image is missing"
    infinite = np.isinf(column)
    if infinite.any():
        yield f"{_row(infinite)} is infinite or beyond float32; send a finite number, or null where it is missing"
    low, high = (column < expected.low) & ~infinite, (column > expected.high) & ~infinite
    if low.any():
        yield f"{_row(low)}{_value(expected, column, low)} is below the minimum {expected.low:g}"
    if high.any():
        yield f"{_row(high)}{_value(expected, column, high)} is above the maximum {expected.high:g}"
    fractions = fractions_of(column)
    if expected.whole and fractions.any():
        yield f"{_row(fractions)}{_value(expected, column, fractions)} is no whole number; send whole numbers"
    yield from _strange(expected, column, np.isfinite(column))


def _texts(expected: Expected, column: npt.NDArray[Any]) -> Iterator[str]:
    missing = column == ""
    if expected.required and missing.any():
        yield f"{_row(missing)} is missing, but the column is required; send text"
    longest = expected.served.max_length
    if longest is not None:
        long = np.vectorize(len, otypes=[int])(column) > longest
        if long.any():
            yield f"{_row(long)} is longer than {longest} characters; send a shorter text"
    yield from _strange(expected, column, ~missing)


def _strange(expected: Expected, column: npt.NDArray[Any], there: npt.NDArray[np.bool_]) -> Iterator[str]:
    """Values that the contract's enum does not have, among those that are there."""
    accepted = expected.accepted
    if accepted is not None:
        strange = np.array([value not in accepted for value in column.ravel().tolist()]).reshape(column.shape) & there
        if strange.any():
            yield f"{_row(strange)}{_value(expected, column, strange)} is not one of {_choices(expected)}"


def _row(wrong: npt.NDArray[np.bool_]) -> str:
    rows = np.flatnonzero(wrong.any(axis=1))
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return f"row {rows[0]}{more}"


def _value(expected: Expected, column: npt.NDArray[Any], wrong: npt.NDArray[np.bool_]) -> str:
    """The first wrong value in brackets; nothing of a column that the contract restricts."""
    if expected.served.restricted:
        return ""
    value = column[wrong][0]
    return f" ({shown(value)})" if expected.text else f" ({value:g})"


def _choices(expected: Expected) -> str:
    values = expected.served.enum or ()
    return ", ".join(shown(v) if isinstance(v, str) else str(v) for v in values[:20]) + (", ..." if values[20:] else "")
