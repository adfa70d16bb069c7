"""Ids of answered rows: UUIDv7 (RFC 9562, section 5.7), consecutive for the rows of one request."""

LOW_BITS = 48
"""The last group of an id. No block crosses it, so that the ids of a request differ in their last group alone."""


def row_texts(first: int, rows: int) -> list[str]:
    """Canonical texts of ``rows`` consecutive ids, the first of which is ``first`` (128 bits)."""
    head = f"{first >> LOW_BITS:020x}"
    prefix = f"{head[:8]}-{head[8:12]}-{head[12:16]}-{head[16:]}-"
    low = first & ((1 << LOW_BITS) - 1)
    return [f"{prefix}{number:012x}" for number in range(low, low + rows)]
