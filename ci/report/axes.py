"""Scales and round ticks for the charts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A linear map of ``low..high`` to ``start..end`` pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Values outside are held at the ends."""
        span = self.high - self.low
        part = (value - self.low) / span if span else 0.5
        return self.start + min(1.0, max(0.0, part)) * (self.end - self.start)

    @classmethod
    def over(
        cls, values: Sequence[float], start: float, end: float, *, unit: bool = False, room: float = 0.0
    ) -> "Scale":
        """Around the finite values, with ``room`` on both sides as a share; ``unit``: 0 to 1."""
        if unit:
            return cls(0.0, 1.0, start, end)
        finite = [value for value in values if math.isfinite(value)] or [0.0]
        low, high = min(finite), max(finite)
        extra = room * (high - low) if high > low else abs(high) * 0.1 or 1.0
        return cls(low - extra, high + extra, start, end)


def ticks(low: float, high: float, most: int = 6, *, whole: bool = False) -> list[float]:
    """At most ``most`` round numbers (1, 2 or 5 times a power of ten) between low and high."""
    if not high > low:
        return [low]
    exponent = math.floor(math.log10((high - low) / most))
    for step in (factor * 10.0**power for power in range(exponent, exponent + 3) for factor in (1, 2, 5)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most and not (whole and step < 1):
            return [round(index * step, 12) for index in range(first, last + 1)]
    return [low, high]
