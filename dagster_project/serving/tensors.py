"""The values of one tensor, from JSON or from the bytes behind it. Every function raises Wrong, in words."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from .problems import Wrong, counted, shown
from .request_json import Tensor

Values: TypeAlias = list[Any] | npt.NDArray[Any]

BINARY = {
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "BOOL": "|u1",
    "INT8": "|i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "UINT8": "|u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
}  # fmt: skip
_NOTHING = type(None)
_FLOATS = frozenset((float, int, _NOTHING))
_WHOLE = frozenset((int, _NOTHING))
_TYPES = {
    **dict.fromkeys(BINARY, _WHOLE),
    **dict.fromkeys(("FP16", "FP32", "FP64"), _FLOATS),
    "BOOL": frozenset((bool, _NOTHING)),
    "BYTES": frozenset((str, _NOTHING)),
}
_WORDS = {
    _FLOATS: "numbers or null",
    _WHOLE: "whole numbers or null",
    _TYPES["BOOL"]: "true, false or null",
    _TYPES["BYTES"]: "strings or null",
}
_RANGES = {
    name: (int(np.iinfo(code).min), int(np.iinfo(code).max)) for name, code in BINARY.items() if "INT" in name
}  # fmt: skip


def rows_of(shape: Sequence[int], width: int, most: int, also: tuple[int, ...] | None = None) -> int:
    """Rows of a tensor of shape [n], where the width is one, [n, width], or [n, *also] where a row has a shape."""
    row = tuple(shape[1:])
    if not shape or not (row == (width,) or row == also or (width == 1 and not row)):
        fits = {(width,), also or (width,)} | ({()} if width == 1 else set())
        listed = " or ".join(_shape(("rows", *each)) for each in sorted(fits, key=len))
        raise Wrong(f"its shape is {_shape(shape)}; send {listed}")
    rows = shape[0]
    if rows < 1:
        raise Wrong(f"its shape is {_shape(shape)}; send at least one row")
    if rows > most:
        raise Wrong(f"its shape is {_shape(shape)}, but a request may have {most} rows; send several requests")
    return rows


def json_values(tensor: Tensor, rows: int, width: int) -> list[Any]:
    """The ``rows * width`` values of a tensor's ``data``, flat; null is None."""
    data = cast("list[Any]", tensor.data)
    if data and type(data[0]) is list:
        data = _flat(data, tensor.shape, tensor.shape[1:])
    if len(data) != rows * width:
        raise Wrong(f"it has {len(data)} values where its shape {_shape(tensor.shape)} means {rows * width}")
    types = _TYPES[tensor.datatype]
    if not types.issuperset(map(type, data)):
        at = next(i for i, value in enumerate(data) if type(value) not in types)
        raise Wrong(f"row {at // width} is {_json(data[at])}, but {tensor.datatype} data is {_WORDS[types]}")
    if types is _WHOLE:
        _in_range(tensor.datatype, data)
    return data


def binary_values(datatype: str, raw: memoryview, count: int) -> Values:
    """The ``count`` values of a tensor sent as bytes: an array of numbers, or a list of text."""
    if datatype == "BYTES":
        return _strings(bytes(raw), count)
    code = np.dtype(BINARY[datatype])
    if len(raw) != count * code.itemsize:
        due = f"{count} x {code.itemsize} bytes of {datatype}"
        raise Wrong(f"its binary_data_size is {len(raw)} where its shape means {due}")
    values = np.frombuffer(raw, code)
    return values != 0 if datatype == "BOOL" else values


def _flat(data: list[Any], shape: Sequence[int], inner: Sequence[int]) -> list[Any]:
    width = inner[0] if inner else None
    if any(type(row) is not list or len(row) != width for row in data):
        raise Wrong(f"its nested data does not have its shape {_shape(shape)}; send the values flat, or row by row")
    flat = list(chain.from_iterable(data))
    return _flat(flat, shape, inner[1:]) if len(inner) > 1 else flat


def _in_range(datatype: str, data: list[Any]) -> None:
    low, high = _RANGES[datatype]
    numbers = [value for value in data if value is not None] if None in data else data
    if numbers and (min(numbers) < low or max(numbers) > high):
        raise Wrong(f"a number is beyond {datatype}; send numbers from {low} to {high}, or another datatype")


def _strings(raw: bytes, count: int) -> list[str]:
    texts, start, size = [], 0, len(raw)
    for row in range(count):
        end = start + 4 + int.from_bytes(raw[start : start + 4], "little")
        if start + 4 > size or end > size:
            raise Wrong(f"its bytes end within text {row} of {count}; each is 4 bytes of length and UTF-8 text")
        try:
            texts.append(raw[start + 4 : end].decode())
        except UnicodeDecodeError:
            raise Wrong(f"row {row} is not UTF-8; send text as UTF-8") from None
        start = end
    if start != size:
        raise Wrong(f"{size - start} bytes lie behind its {count} texts; binary_data_size or the shape is wrong")
    return texts


def _json(value: object) -> str:
    words = {bool: "a boolean", str: "a string", list: "a list", dict: "an object", _NOTHING: "null"}
    return words.get(type(value), "a number with a fraction" if isinstance(value, float) else "a number")


def _shape(shape: Sequence[int | str]) -> str:
    text = "[" + ", ".join(n if isinstance(n, str) else counted(n) for n in shape[:8])
    return text + (", ...]" if len(shape) > 8 else "]")


def unknown_datatype(datatype: str, accepted: Sequence[str]) -> Wrong:
    """The problem of a tensor whose datatype is not accepted."""
    return Wrong(f"its datatype is {shown(datatype)}; send {' or '.join(accepted)}")
