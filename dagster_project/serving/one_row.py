"""Requests of one row, as most clients send them, in one pass of plain Python: cheaper than arrays of one value.

What is taken here is right by the same rules; what is unusual or wrong is left to the reader, which says what it is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .columns import Columns
from .request_json import Tensor
from .signature import Expected, Signature

_SHAPES = ([1, 1], [1])


def one_row(tensors: Sequence[Tensor], signature: Signature) -> tuple[Columns, list[str] | None] | None:
    """The columns and the id; None: read it carefully."""
    if not signature.narrow_only:
        return None
    expected, id_column = signature.expected, signature.id_column
    values: dict[str, Any] = {}
    for tensor in tensors:
        data = tensor.data
        if data is None or len(data) != 1 or tensor.parameters is not None or tensor.shape not in _SHAPES:
            return None
        wanted, value = expected.get(tensor.name), data[0]
        if wanted is not None:
            if not (_takes_text if wanted.text else _takes_number)(wanted, value, tensor.datatype):
                return None
        elif tensor.name != id_column or tensor.datatype != "BYTES" or type(value) is not str:
            return None
        values[tensor.name] = value
    if len(values) != len(tensors) or not values or not signature.required <= values.keys():
        return None
    ids = [values[id_column]] if id_column in values else None
    return _columns(values, signature), ids


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


def _takes_text(wanted: Expected, value: Any, datatype: str) -> bool:
    if datatype != "BYTES":
        return False
    if value is None or value == "":
        return not wanted.required
    longest = wanted.served.max_length
    return (
        type(value) is str
        and (wanted.accepted is None or value in wanted.accepted)
        and (longest is None or len(value) <= longest)
    )


def _columns(values: dict[str, Any], signature: Signature) -> Columns:
    get = values.get
    numbers = [np.nan if (value := get(name)) is None else value for name in signature.numbers]
    texts = [get(name) or "" for name in signature.texts]
    columns: Columns = dict(zip(signature.numbers, np.array(numbers, np.float32).reshape(-1, 1, 1), strict=True))
    columns.update(zip(signature.texts, np.array(texts, object).reshape(-1, 1, 1), strict=True))
    return columns
