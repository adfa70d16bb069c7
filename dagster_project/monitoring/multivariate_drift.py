"""Whether a model can tell the window from the reference: drift that no single column shows."""

from typing import TYPE_CHECKING

from dagster_project.domain.drift import ColumnDrift
from dagster_project.domain.monitoring import DriftCheck
from dagster_project.monitoring.drift_rows import Side
from dagster_project.quality.drift import domain_score

if TYPE_CHECKING:
    import numpy as np

DOMAIN: DriftCheck = "MultivariateDrift"
NAME = "(all columns together)"
DRAWS = 12
"""Each trains a model, so the threshold is a normal distribution's: mean and deviation of few draws."""
ROWS = 2_000


def domain_drift(
    reference: Side, window: Side, names: tuple[str, ...], alarms: float, days: int, seed: int = 0
) -> ColumnDrift:
    """deepchecks' domain classifier on at most 2,000 rows a side, against what it finds within the reference."""
    from statistics import NormalDist, fmean, stdev

    import numpy as np

    generator = np.random.default_rng(seed)
    rows = min(ROWS, len(window), len(reference) // 2)
    chosen = [generator.permutation(len(reference)) for _ in range(DRAWS)]
    within = [_told(reference, reference, order[:rows], order[rows : 2 * rows], names) for order in chosen]
    sides = generator.permutation(len(reference))[:rows], generator.permutation(len(window))[:rows]
    score = _told(reference, window, *sides, names)
    threshold = fmean(within) + NormalDist().inv_cdf(1 - alarms) * stdev(within) * (1 + 1 / DRAWS) ** 0.5
    return ColumnDrift(
        name=NAME, check=DOMAIN, score=score, threshold=threshold, rows=rows, reference_rows=rows,
        what=f"A model tells them apart with an area of {score:.3f} under its curve; 0.5 is not at all.",
    )  # fmt: skip


def _told(first: Side, second: Side, one: "np.ndarray", other: "np.ndarray", names: tuple[str, ...]) -> float:
    left, right = first.take(one), second.take(other)
    return domain_score({name: left.columns[name] for name in names}, {name: right.columns[name] for name in names})
