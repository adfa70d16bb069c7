"""Requests of one row, as most clients send them, in one pass of plain Python: cheaper than arrays of one value.

What is taken here is right by the same rules; what is unusual or wrong is left to the reader, which says what it is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .columns import Columns, fine_texts
from .event_times import microseconds
from .problems import Wrong
from .request_json import Tensor
from .signature import Expected, Signature

_NUMBERS, _FLOATS = frozenset((float, int)), frozenset(("FP32", "FP64"))
_ROW, _FLAT, _NAN = [1, 1], [1], float("nan")


Row = tuple[Columns, list[str] | None, list[int] | None]


def one_row(tensors: Sequence[Tensor], signature: Signature) -> Row | None:
    """The columns, the id and the event's time; None: read it carefully. For signatures without wide texts."""
    single = signature.single
    values: dict[str, Any] = {}
    for tensor in tensors:
        data, shape, name = tensor.data, tensor.shape, tensor.name
        if data is None or tensor.parameters is not None:
            return None
        wanted = single.get(name)
        if wanted is None:
            if not _takes_other(tensor, data, signature):
                return None
            values[name] = data if name in signature.expected else data[0]
            continue
        if len(data) != 1 or (shape != _ROW and shape != _FLAT):
            return None
        value = values[name] = data[0]
        kind = type(value)
        # most of them: a number that has to be within its bounds
        if (kind is float or kind is int) and wanted.bounded and tensor.datatype in _FLOATS:
            if not wanted.low <= value <= wanted.high:
                return None
        elif not (_takes_text if wanted.text else _takes_number)(wanted, value, tensor.datatype):
            return None
    if len(values) != len(tensors) or not values or not signature.required <= values.keys():
        return None
    return _row(values, signature)


def _takes_other(tensor: Tensor, data: list[Any], signature: Signature) -> bool:
    """A row of several numbers, or what is sent beside the inputs."""
    wanted = signature.expected.get(tensor.name)
    if wanted is not None:
        return _takes_numbers(wanted, data, tensor)
    fits = len(data) == 1 and (tensor.shape == _ROW or tensor.shape == _FLAT)
    return fits and tensor.name in signature.beside and tensor.datatype == "BYTES" and type(data[0]) is str


def _row(values: dict[str, Any], signature: Signature) -> Row | None:
    id_column, time_column = signature.id_column, signature.time_column
    ids = [values[id_column]] if id_column in values else None
    try:
        times = [microseconds(values[time_column])] if time_column in values else None
    except Wrong:
        return None
    return _columns(values, signature), ids, times


def _takes_number(wanted: Expected, value: Any, datatype: str) -> bool:
    if value is None:
        return not wanted.required and datatype in _FLOATS
    kind = type(value)
    return (
        (kind is float or kind is int)
        and datatype in _FLOATS
        and wanted.low <= value <= wanted.high
        and (not wanted.whole or value % 1 == 0)
        and (wanted.accepted is None or value in wanted.accepted)
    )


def _takes_numbers(wanted: Expected, data: list[Any], tensor: Tensor) -> bool:
    """A row of several numbers, with no rules but bounds."""
    return (
        wanted.bounded
        and tensor.datatype in _FLOATS
        and tensor.shape == [1, wanted.width]
        and len(data) == wanted.width
        and _NUMBERS.issuperset(map(type, data))
        and wanted.low <= min(data)
        and max(data) <= wanted.high
    )


def _takes_text(wanted: Expected, value: Any, datatype: str) -> bool:
    if datatype != "BYTES" or not (value is None or type(value) is str):
        return False
    return fine_texts(wanted, (value or "",))


def _columns(values: dict[str, Any], signature: Signature) -> Columns:
    get = values.get
    numbers = [_NAN if (value := get(name)) is None else value for name in signature.numbers]
    texts = [get(name) or "" for name in signature.texts]
    others = {}
    for name, width in signature.wide:
        row = get(name)
        others[name] = np.full((1, width), np.nan, np.float32) if row is None else np.array([row], np.float32)
    return Columns(
        signature, np.array(numbers, np.float32).reshape(-1, 1), np.array(texts, object).reshape(-1, 1), others
    )
