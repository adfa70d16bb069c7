"""One frame of received labels: those of one request (msgpack)."""

import msgspec

FORMAT = 1


class Label(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one sender says the truth of one answer is; ``known`` and ``received`` are microseconds since 1970.

    One of ``row_id`` and ``id`` is there (the contract's id as the prediction log keeps it), and one of ``label`` (a
    class as the log writes it) and ``value``. Labels with the same ``event`` are the same label.
    """

    event: str
    model: str
    kind: str
    source: str
    known: int
    received: int
    row_id: str | None = None
    id: str | None = None
    label: str | None = None
    value: float | None = None
    who: str | None = None
    audit: bool | None = None


class LabelFrame(msgspec.Struct, omit_defaults=True):
    """The labels of one request to one server."""

    server: str
    labels: list[Label]
    format: int = FORMAT


encode = msgspec.msgpack.Encoder().encode
"""A LabelFrame as bytes."""

decode = msgspec.msgpack.Decoder(LabelFrame).decode
"""The inverse of ``encode``; raises ``msgspec.DecodeError``."""
