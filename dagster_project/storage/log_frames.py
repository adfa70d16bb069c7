"""One frame of the prediction log: the answers of one model to many requests, column by column (msgpack)."""

from typing import Any

import msgspec
import numpy as np

FORMAT = 1
NO_TIME = -(2**63)
"""In place of an event time that was not sent."""


class Packed(msgspec.Struct, array_like=True):
    """An array: raw little-endian ``data``, or ``values`` where it holds text."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes = b""
    values: list[Any] | None = None


class LogFrame(msgspec.Struct, omit_defaults=True):
    """n requests with r rows in all.

    ``first`` n ids of 16 bytes (little-endian), ``rows`` n uint32, ``at`` and ``seconds`` n float64; ``outputs`` and
    ``inputs`` arrays (r, ...); ``ids`` r texts, None where the client sent none. ``dropped`` rows were answered and not
    kept; such a frame has one ``at`` and nothing else. ``times`` r int64, microseconds since 1970, of the rows' events.
    """

    server: str
    model: str
    onnx: str
    place: str
    first: bytes
    rows: bytes
    at: bytes
    seconds: bytes
    outputs: dict[str, Packed]
    ids: list[str | None] | None = None
    inputs: dict[str, Packed] | None = None
    times: bytes | None = None
    dropped: int = 0
    format: int = FORMAT


def pack(array: np.ndarray) -> Packed:
    """An array as it is written."""
    if array.dtype.kind in "OUS":
        return Packed("O", array.shape, values=array.ravel().tolist())
    plain = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return Packed(plain.dtype.str, array.shape, plain.tobytes())


def unpack(packed: Packed) -> np.ndarray:
    """The inverse of :func:`pack`."""
    if packed.values is None:
        return np.frombuffer(packed.data, packed.dtype).reshape(packed.shape)
    array = np.empty(len(packed.values), object)
    array[:] = packed.values
    return array.reshape(packed.shape)


encode = msgspec.msgpack.Encoder().encode
"""A LogFrame as bytes. Raises TypeError where an array holds what is neither number nor text."""

decode = msgspec.msgpack.Decoder(LogFrame).decode
"""The inverse of ``encode``; raises ``msgspec.DecodeError``."""
