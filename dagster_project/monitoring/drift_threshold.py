"""How far apart windows without drift are: drawn from the reference itself, all columns at once.

A column's scores are put on one scale by their mean and deviation over the draws, and the threshold is what the
largest of all columns stays below in all but ``alarms`` of the draws (Westfall and Young 1993). That quantile is of a
Gumbel distribution through the draws' maxima, so that a thousand of them are not needed. Rows of one day go together
where days are known: weather does not change with each row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.monitoring.drift_rows import LABEL, Side
from dagster_project.quality.drift import drift_scores

if TYPE_CHECKING:
    import numpy as np

DRAWS = 200
LEAST_DAYS = 6
"""Fewer days are no sample of days: then rows are drawn one by one."""
UNMOVED = 0.01
"""Deviation of a column that has one value only, such as whether a value is missing where none is: half a percent of
others is seen."""
EULER = 0.5772156649015329


@dataclass(frozen=True)
class Thresholds:
    """``mean`` and ``deviation`` of each column's score over draws, and how many deviations the family stays below."""

    mean: Mapping[str, float]
    deviation: Mapping[str, float]
    height: float
    blocks: str

    def of(self, name: str) -> float:
        """The column's threshold."""
        return self.mean.get(name, 0.0) + self.height * self.deviation.get(name, UNMOVED)


def calibrate(reference: Side, rows: int, labels: int, days: int, alarms: float, seed: int = 0) -> Thresholds:
    """Thresholds for windows of so many ``rows`` on so many ``days``, ``labels`` of them with a label."""
    import math

    import numpy as np

    generator = np.random.default_rng(seed)
    reference = _varying(reference)
    known = np.unique(reference.day)
    by_day = len(known) >= LEAST_DAYS
    days = max(days, -(-rows * len(known) // len(reference)))  # fewer rows than the window's would scatter more
    draws = []
    for _ in range(DRAWS):
        chosen = _days_drawn(reference, known, days, generator) if by_day else _rows_drawn(reference, rows, generator)
        window = reference.take(generator.permutation(np.flatnonzero(chosen))[:rows])
        draws.append(scores_between(in_mix(reference.take(~chosen), window, generator), window, labels))
    names = sorted(set.intersection(*(set(draw) for draw in draws)))
    table = np.array([[draw[name] for name in names] for draw in draws])
    mean, spread = table.mean(axis=0), table.std(axis=0)
    deviation = np.where(spread > 0, spread, UNMOVED)
    highest = ((table - mean) / deviation).max(axis=1)
    scale = float(highest.std()) * math.sqrt(6) / math.pi
    height = float(highest.mean()) - EULER * scale - scale * math.log(-math.log(1 - alarms))
    return Thresholds(
        mean=dict(zip(names, mean.tolist(), strict=True)),
        deviation=dict(zip(names, deviation.tolist(), strict=True)),
        height=height,
        blocks="days" if by_day else "rows",
    )


def scores_between(reference: Side, window: Side, labels: int | None = None) -> dict[str, float]:
    """Scores of the columns that both have; of the label over the first ``labels`` rows of the window alone."""
    both = {name: column for name, column in window.columns.items() if name in reference.columns}
    if LABEL in both and labels is not None:
        both[LABEL] = both[LABEL][:labels]
    return drift_scores({name: reference.columns[name] for name in both}, both)


def in_mix(reference: Side, window: Side, generator: "np.random.Generator") -> Side:
    """The reference with as much of each part of the season as the window has; as it is where none is declared."""
    import numpy as np

    parts, codes = np.unique(np.concatenate([reference.season, window.season]).astype(str), return_inverse=True)
    if len(parts) == 1:
        return reference
    of_reference = np.bincount(codes[: len(reference)], minlength=len(parts))
    of_window = np.bincount(codes[len(reference) :], minlength=len(parts))
    weights = np.divide(of_window, of_reference, out=np.zeros(len(parts)), where=of_reference > 0)
    chances = weights[codes[: len(reference)]]
    return reference.take(generator.choice(len(reference), len(reference), p=chances / chances.sum()))


def _varying(reference: Side) -> Side:
    """The columns that have more than one value: no draw moves the others."""
    kept = {name: column for name, column in reference.columns.items() if len(set(column.tolist())) > 1}
    return Side(kept, reference.season, reference.day)


def _days_drawn(reference: Side, known: "np.ndarray", days: int, generator: "np.random.Generator") -> "np.ndarray":
    """Whether each row (n,) is of one of as many days as the window has, half of the reference's at most."""
    import numpy as np

    chosen = generator.permutation(known)[: max(1, min(days, len(known) // 2))]
    return np.isin(reference.day, chosen)


def _rows_drawn(reference: Side, rows: int, generator: "np.random.Generator") -> "np.ndarray":
    import numpy as np

    chosen = np.zeros(len(reference), bool)
    chosen[generator.permutation(len(reference))[: min(rows, len(reference) // 2)]] = True
    return chosen
