"""Requests of one row, as most clients send them, read in one pass: a tensor costs a third of its careful reading."""

from collections.abc import Sequence
from typing import Any

from .request_json import Tensor
from .signature import Signature

_SHAPES = ([1, 1], [1])
_NUMBERS = frozenset((float, int, type(None)))
_TYPES = {"FP32": _NUMBERS, "FP64": _NUMBERS, "BYTES": frozenset((str, type(None)))}


def one_row(tensors: Sequence[Tensor], signature: Signature) -> dict[str, list[Any]] | None:
    """Values by tensor; None where anything is unusual or wrong: the reader finds out what, and says so."""
    expected, id_column = signature.expected, signature.id_column
    values: dict[str, list[Any]] = {}
    for tensor in tensors:
        wanted, data, types = expected.get(tensor.name), tensor.data, _TYPES.get(tensor.datatype)
        if data is None or types is None or tensor.parameters is not None or tensor.shape not in _SHAPES:
            return None
        if wanted is None:
            if tensor.name != id_column or tensor.datatype != "BYTES":
                return None
        elif wanted.width != 1 or tensor.datatype not in wanted.datatypes:
            return None
        if len(data) != 1 or type(data[0]) not in types:
            return None
        values[tensor.name] = data
    if len(values) != len(tensors) or not values or not signature.required <= values.keys():
        return None
    return values
