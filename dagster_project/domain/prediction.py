"""Ids of answered rows, and what came into the prediction log's table."""

from typing import Literal

from pydantic import Field

from .base import StrictModel

LOW_BITS = 48
"""The last group of an id. No request's ids cross it, so that the ids of a request differ in their last group alone."""


def row_texts(first: int, rows: int) -> list[str]:
    """Canonical texts of ``rows`` consecutive UUIDv7 (RFC 9562, section 5.7); ``first`` is 128 bits."""
    head = f"{first >> LOW_BITS:020x}"
    prefix = f"{head[:8]}-{head[8:12]}-{head[12:16]}-{head[16:]}-"
    low = first & ((1 << LOW_BITS) - 1)
    return [f"{prefix}{number:012x}" for number in range(low, low + rows)]


class Ingested(StrictModel):
    """What one ingestion took from the servers' segments into the table."""

    schema_version: Literal[1] = 1
    rows: int = Field(default=0, description="answered rows")
    segments: int = Field(default=0, description="segments that were read from")
    dropped: int = Field(default=0, description="rows that servers answered and could not keep")
    lag_seconds: float = Field(default=0.0, description="age of the oldest row that came in")
    broken: int = Field(default=0, description="damaged places that were skipped")
    broken_bytes: int = 0

    def plus(self, other: "Ingested") -> "Ingested":
        """Both together; which segments were the same is for the caller to know."""
        return Ingested(
            rows=self.rows + other.rows,
            dropped=self.dropped + other.dropped,
            lag_seconds=max(self.lag_seconds, other.lag_seconds),
            broken=self.broken + other.broken,
            broken_bytes=self.broken_bytes + other.broken_bytes,
        )
