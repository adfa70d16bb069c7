"""Latency by a real session, size, and the build's claims."""

import time

import numpy as np
import pytest

from dagster_project.domain.bundle import BundleManifest, Parity
from dagster_project.domain.measured import FLIPPED_LABELS, LATENCY, PARITY, batch_name
from dagster_project.evaluation.footprint import measure_latency, measure_size, parity_claims
from dagster_project.inference.predictor import Answers


class Sleeper:
    """A predictor whose every third call is disturbed."""

    calls = 0

    def predict(self, columns: dict[str, np.ndarray]) -> Answers:
        self.calls += 1
        self.seen = {name: len(column) for name, column in columns.items()}
        time.sleep(0.02 if self.calls % 3 else 0.05)
        return Answers(values=np.zeros(1))


def test_latency_is_the_undisturbed_call() -> None:
    sleeper = Sleeper()
    found = measure_latency(sleeper, {"distance": np.zeros((3, 1))}, 8)  # type: ignore[arg-type]
    assert sleeper.seen == {"distance": 8}
    assert 20 <= found.value < 50
    assert (found.metric, found.slice, found.count) == (LATENCY, batch_name(8), 8)


def test_size_is_in_megabytes() -> None:
    assert measure_size(b"x" * 2_500_000).value == 2.5


def test_parity_is_what_the_build_says() -> None:
    parity = Parity(maximum_difference=3e-6, flipped_labels=2, rows=7, planted=())
    found = parity_claims(BundleManifest.model_construct(parity=parity))
    assert {m.metric: m.value for m in found} == pytest.approx({PARITY: 3e-6, FLIPPED_LABELS: 2})
    assert {m.count for m in found} == {7}
