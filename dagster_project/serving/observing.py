"""What is seen of a version while it is rolled out: errors, latencies, and how far it disagrees."""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagster_project.domain.rollout import Observed

if TYPE_CHECKING:
    import numpy as np

RECENT = 5000  # latencies that the percentile is taken from


@dataclass
class Observer:
    """Counts rows. Cheap to tell, dear to ask: it is asked once a second."""

    answers: int = 0
    errors: int = 0
    compared: int = 0
    _began: float = field(default_factory=time.monotonic)
    _latencies: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    _difference: float = 0.0
    _sum: float = 0.0
    _squares: float = 0.0

    def answered(self, rows: int, seconds: float | None) -> None:
        """A request of ``rows`` rows was answered; the time counts while the version is on trial."""
        self.answers += rows
        if seconds is not None:
            self._latencies.append(seconds)

    def broke(self, rows: int) -> None:
        """A request of ``rows`` rows was not."""
        self.errors += rows

    def compare(self, own: "dict[str, np.ndarray]", other: "dict[str, np.ndarray]") -> None:
        """Answers of this version and of the live one to the same rows."""
        if "label" in own:
            self._difference += float((own["label"] != other["label"]).sum())
            self.compared += len(own["label"])
            return
        values = other["value"].astype(float)
        self._difference += float(abs(own["value"].astype(float) - values).sum())
        self._sum += float(values.sum())
        self._squares += float((values**2).sum())
        self.compared += len(values)

    @property
    def disagreement(self) -> float:
        """Share of the labels that differ; of values the mean difference, in standard deviations of the live ones."""
        if not self.compared:
            return 0.0
        mean = self._difference / self.compared
        variance = self._squares / self.compared - (self._sum / self.compared) ** 2
        if not self._squares:
            return mean
        return mean / math.sqrt(max(variance, 1e-12))

    def observed(self) -> Observed:
        """For the decision."""
        ordered = sorted(self._latencies)
        return Observed(
            answers=self.answers,
            errors=self.errors,
            seconds=time.monotonic() - self._began,
            p99_seconds=ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))] if ordered else 0.0,
            compared=self.compared,
            disagreement=self.disagreement,
        )
