"""What twice the rows would give, from a power law through a learning curve (Viering and Loog 2021, sections 3 and 5).

The metric at n rows is c - a * n^-b. A handful of points does not tell b, nor how much the fits scatter, so both are
averaged over by how well they explain the points, each with every c and a alike: the interval is as wide as that.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dagster_project.domain.headroom_report import Interval

if TYPE_CHECKING:
    import numpy as np

FEWEST = 3
EXPONENTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.1, 1.3, 1.5)
SCATTERS = 24
DRAWS = 20_000


def doubled(rows: Sequence[int], values: "np.ndarray", covariance: "np.ndarray", seed: int) -> Interval:
    """The gain (median and 95 % limits) of twice the last ``rows``; ``values`` (k,) are better when greater.

    ``covariance`` (k, k) is what the points share by being measured on the same rows. Needs ``FEWEST`` points.
    """
    import numpy as np

    sizes = np.asarray(rows, np.float64)
    known = [
        _explained(sizes, values, covariance + np.diag(scatter**2 * sizes[-1] / sizes), exponent)
        for exponent in EXPONENTS
        for scatter in _scatters(values, covariance)
    ]
    evidence, means, errors = (np.array(column) for column in zip(*known, strict=True))
    weights = np.exp(evidence - evidence.max())
    generator = np.random.Generator(np.random.PCG64(seed))
    chosen = generator.choice(len(known), size=DRAWS, p=weights / weights.sum())
    drawn = means[chosen] + errors[chosen] * generator.standard_normal(DRAWS)
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    return Interval(value=float(middle), low=float(low), high=float(high))


def _scatters(values: "np.ndarray", covariance: "np.ndarray") -> "np.ndarray":
    """Standard deviations by which another draw of the train rows may move a point, in equal ratios."""
    import numpy as np

    largest = max(float(np.ptp(values)), float(np.sqrt(np.diag(covariance).max())), 1e-9)
    return np.geomspace(1e-2 * largest, largest, SCATTERS)


def _explained(
    sizes: "np.ndarray", values: "np.ndarray", covariance: "np.ndarray", exponent: float
) -> tuple[float, float, float]:
    """Log evidence of an exponent and a scatter, and the doubling's mean and standard error under them."""
    import numpy as np

    last = sizes[-1] ** -exponent
    risen = sizes[0] ** -exponent - last  # so that the slope is the rise over the points, whatever the exponent
    design = np.stack([np.ones_like(sizes), -(sizes**-exponent - last) / risen], axis=1)
    weighted = np.linalg.solve(covariance, design)
    information = design.T @ weighted
    found = np.linalg.solve(information, weighted.T @ values)
    rest = values - design @ found
    misfit = float(rest @ np.linalg.solve(covariance, rest))
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1]
    step = last * (1 - 2**-exponent) / risen
    return -(logs + misfit) / 2, float(found[1] * step), float(np.sqrt(np.linalg.inv(information)[1, 1]) * step)
