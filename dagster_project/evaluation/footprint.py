"""What a model costs to run, and what its build claims."""

import time
from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING

from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.measured import FLIPPED_LABELS, LATENCY, PARITY, SIZE, batch_name
from dagster_project.domain.verdict import Measurement
from dagster_project.inference.predictor import OnnxPredictor

if TYPE_CHECKING:
    import numpy as np

ROUNDS, SECONDS_A_ROUND = 5, 0.2


def measure_latency(predictor: OnnxPredictor, columns: "Mapping[str, np.ndarray]", batch: int) -> Measurement:
    """Median milliseconds of a call with ``batch`` of the given rows (repeated where there are fewer), after warm-up.

    The lowest median of several rounds: a busy machine makes calls slower, nothing makes them faster than they are.
    """
    import numpy as np

    taken = {name: np.take(np.asarray(column), range(batch), axis=0, mode="wrap") for name, column in columns.items()}
    for _ in range(3):
        predictor.predict(taken)
    medians = [median(_round(predictor, taken)) for _ in range(ROUNDS)]
    return Measurement(
        metric=LATENCY,
        rows="validation",
        value=min(medians) * 1000,
        count=batch,
        slice=batch_name(batch),
        method="lowest of five medians",
    )


def _round(predictor: OnnxPredictor, columns: "Mapping[str, np.ndarray]") -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + SECONDS_A_ROUND
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        predictor.predict(columns)
        times.append(time.perf_counter() - start)
    return times


def measure_size(data: bytes) -> Measurement:
    """Size of the ONNX file in megabytes (10**6 bytes)."""
    return Measurement(metric=SIZE, rows="validation", value=len(data) / 1e6, method="bytes")


def parity_claims(manifest: BundleManifest) -> list[Measurement]:
    """What the build says of its own export: it can make a verdict fail, never pass."""
    claim = manifest.parity
    numbers = {PARITY: claim.maximum_difference, FLIPPED_LABELS: float(claim.flipped_labels)}
    return [
        Measurement(metric=name, rows="validation", value=value, count=claim.rows, method="claimed by the build")
        for name, value in numbers.items()
    ]
