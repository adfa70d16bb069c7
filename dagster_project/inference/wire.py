"""Counts the messages of protobuf bytes before a parser makes objects of them.

An empty message takes two bytes on the wire and a hundred in memory, so a small file can fill a machine. The encoding:
https://protobuf.dev/programming-guides/encoding/.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

MAX_DEPTH = 20
LEAF = 4096  # attributes and tensors longer than this are not looked into: they hold a tree's numbers or a weight
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def count_messages(data: bytes, descriptor: "Descriptor", limit: int) -> int | None:
    """Messages within ``data``, which is one message of type ``descriptor``; counting ends beyond ``limit``.

    None when the bytes are cut short, nested deeper than MAX_DEPTH or no protobuf. Attributes and tensors longer than
    LEAF bytes count as one.
    """
    pending = [(0, len(data), descriptor, 0)]
    count = 0
    while pending and count <= limit:
        start, end, kind, depth = pending.pop()
        parts = _fields(data, start, end, kind, limit - count)
        if parts is None or depth > MAX_DEPTH:
            return None
        count += len(parts)
        pending += [(*part, depth + 1) for part in parts if _worth(*part)]
    return count


def _worth(start: int, end: int, kind: "Descriptor") -> bool:
    return kind.name not in ("AttributeProto", "TensorProto") or end - start <= LEAF


def _fields(
    data: bytes, at: int, end: int, kind: "Descriptor", room: int
) -> "list[tuple[int, int, Descriptor]] | None":
    """Spans and types of the messages directly within; stops once there are more than ``room``."""
    found: list[tuple[int, int, Descriptor]] = []
    while at < end and len(found) <= room:
        tag, at = _varint(data, at, end)
        size, at = _size(data, at, end, tag & 7)
        if at < 0 or at + size > end:
            return None
        field = kind.fields_by_number.get(tag >> 3)
        if tag & 7 == _BYTES and field is not None and field.message_type is not None:
            found.append((at, at + size, field.message_type))
        at += size
    return found


def _size(data: bytes, at: int, end: int, wire: int) -> tuple[int, int]:
    """Bytes of a field's value and where it starts; -1 as the start when there is none."""
    if at < 0:
        return 0, -1
    if wire == _BYTES:
        return _varint(data, at, end)
    if wire == _VARINT:
        return 0, _varint(data, at, end)[1]
    return {_FIXED64: 8, _FIXED32: 4}.get(wire, 0), at if wire in (_FIXED64, _FIXED32) else -1


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return 0, -1
