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

_NUMBERS = frozenset((float, int))


Row = tuple[Columns, list[str] | None, list[int] | None]


def one_row(tensors: Sequence[Tensor], signature: Signature) -> Row | None:
    """The columns, the id and the event's time; None: read it carefully. For signatures without wide texts."""
    expected = signature.expected
    values: dict[str, Any] = {}
    for tensor in tensors:
        data, shape, wanted = tensor.data, tensor.shape, expected.get(tensor.name)
        if data is None or tensor.parameters is not None or shape[:1] != [1]:
            return None
        if wanted is None:
            if tensor.name not in signature.beside or not _is_text(tensor):
                return None
            values[tensor.name] = data[0]
        elif wanted.width != 1:
            if not _takes_numbers(wanted, tensor):
                return None
            values[tensor.name] = data
        elif len(data) == 1 and (len(shape) == 1 or shape == [1, 1]):
            if not (_takes_text if wanted.text else _takes_number)(wanted, data[0], tensor.datatype):
                return None
            values[tensor.name] = data[0]
        else:
            return None
    if len(values) != len(tensors) or not values or not signature.required <= values.keys():
        return None
    return _row(values, signature)


def _row(values: dict[str, Any], signature: Signature) -> Row | None:
    id_column, time_column = signature.id_column, signature.time_column
    ids = [values[id_column]] if id_column in values else None
    try:
        times = [microseconds(values[time_column])] if time_column in values else None
    except Wrong:
        return None
    return _columns(values, signature), ids, times


def _is_text(tensor: Tensor) -> bool:
    data = tensor.data
    fits = data is not None and len(data) == 1 and tensor.shape in ([1], [1, 1])
    return fits and tensor.datatype == "BYTES" and data is not None and type(data[0]) is str


def _takes_number(wanted: Expected, value: Any, datatype: str) -> bool:
    if value is None:
        return not wanted.required and datatype in ("FP32", "FP64")
    kind = type(value)
    return (
        (kind is float or kind is int)
        and (datatype == "FP32" or datatype == "FP64")
        and wanted.low <= value <= wanted.high
        and (not wanted.whole or value % 1 == 0)
        and (wanted.accepted is None or value in wanted.accepted)
    )


def _takes_numbers(wanted: Expected, tensor: Tensor) -> bool:
    """A row of several numbers, with no rules but bounds."""
    data = tensor.data
    return (
        data is not None
        and not (wanted.text or wanted.whole)
        and wanted.accepted is None
        and (tensor.datatype == "FP32" or tensor.datatype == "FP64")
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
    columns: Columns = {}
    if signature.numbers:
        numbers = [np.nan if (value := get(name)) is None else value for name in signature.numbers]
        columns.update(zip(signature.numbers, np.array(numbers, np.float32).reshape(-1, 1, 1), strict=True))
    if signature.texts:
        texts = [get(name) or "" for name in signature.texts]
        columns.update(zip(signature.texts, np.array(texts, object).reshape(-1, 1, 1), strict=True))
    for name, width in signature.wide:
        row = get(name)
        columns[name] = np.full((1, width), np.nan, np.float32) if row is None else np.array([row], np.float32)
    return columns
