"""Bootstrap of statistics of rows: Efron and Tibshirani, An Introduction to the Bootstrap (1993).

Rows are drawn with replacement and every statistic is computed again on the same draw, so that a difference between two
models keeps their pairing (section 8.3). Limits are BCa (chapter 14): the bias correction comes from the draws, the
acceleration from the jackknife, and the error of a limit's level falls as 1/n where the percentile's falls as
1/sqrt(n). Where few kinds of rows exist, drawing n rows and counting their kinds is one multinomial draw of the counts:
the same distribution, exactly, at a cost that does not grow with n.

The tail needs draws: at level a, a share of about sqrt(a / draws) of a limit's level is chance. 10,000 draws give 25
beyond a limit at 0.0025; other levels get 25 too, between FEWEST and MOST draws.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from .statistic import Means, Statistic

if TYPE_CHECKING:
    import numpy as np

FEWEST, MOST, BEYOND = 2_000, 100_000, 25
FEW_KINDS = 512
CHUNK_CELLS = 4_000_000


def draws_for(level: float) -> int:
    """Draws that a one-sided limit at ``level`` needs."""
    return min(MOST, max(FEWEST, round(BEYOND / level)))


def replicates(
    statistics: Sequence[Statistic],
    combine: "Callable[..., np.ndarray]",
    draws: int,
    generator: "np.random.Generator",
) -> "np.ndarray":
    """(draws,) values of ``combine`` over the statistics, all on the same resampled rows."""
    import numpy as np

    codes = np.zeros(len(statistics[0].codes), np.int64)
    for statistic in statistics:
        codes = codes * statistic.kinds + statistic.codes if statistic.kinds < len(codes) else np.arange(len(codes))
        codes = np.unique(codes, return_inverse=True)[1]
    kinds, counts = codes.max() + 1, np.bincount(codes)
    first = np.empty(kinds, np.int64)
    first[codes] = np.arange(len(codes))  # one row of each kind stands for all
    if kinds == len(codes):
        first = np.arange(len(codes))
    parts = [
        combine(*(statistic.at(statistic.codes[first], weights) for statistic in statistics))
        for weights in _weights(counts, draws, generator)
    ]
    return np.concatenate(parts)


def _weights(counts: "np.ndarray", draws: int, generator: "np.random.Generator") -> "Iterator[np.ndarray]":
    """Counts of each kind in resamples of all rows, in chunks of bounded memory: (chunk, kinds) each."""
    import numpy as np

    rows, kinds = int(counts.sum()), len(counts)
    chunk = max(1, CHUNK_CELLS // max(kinds, 1))
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        if kinds <= FEW_KINDS:
            yield generator.multinomial(rows, counts / rows, size=size).astype(np.float64)
        else:
            yield _drawn(counts, rows, size, generator)


def _drawn(counts: "np.ndarray", rows: int, size: int, generator: "np.random.Generator") -> "np.ndarray":
    import numpy as np

    kinds = len(counts)
    picked = generator.integers(0, rows, size=(size, rows), dtype=np.int32)
    if kinds < rows:
        picked = np.repeat(np.arange(kinds, dtype=np.int32), counts)[picked]
    offsets = (np.arange(size, dtype=np.int64) * kinds)[:, None]
    return np.bincount((picked + offsets).ravel(), minlength=size * kinds).reshape(size, kinds).astype(np.float64)


def bca_limit(values: "np.ndarray", observed: float, influence: "np.ndarray", level: float) -> float:
    """The limit below which a share ``level`` of the BCa distribution lies (equations 14.9 to 14.15).

    ``values`` (draws,) are the replicates, ``influence`` (n,) the jackknife influence values.
    """
    from statistics import NormalDist

    import numpy as np

    normal = NormalDist()
    spread = float((influence**2).sum())
    if spread == 0 or values.min() == values.max():
        return observed
    below = float((values < observed).mean() + (values == observed).mean() / 2)
    bias = normal.inv_cdf(min(max(below, 1 / len(values)), 1 - 1 / len(values)))
    acceleration = float((influence**3).sum()) / (6 * spread**1.5)
    z = bias + normal.inv_cdf(level)
    adjusted = normal.cdf(bias + z / max(1 - acceleration * z, 1e-3))
    return float(np.quantile(values, adjusted, method="inverted_cdf" if level < 0.5 else "higher"))


def jeffreys(statistic: Means, draws: int, generator: "np.random.Generator") -> "np.ndarray":
    """(draws,) values of a counted statistic under the posterior of its kinds' shares with Jeffreys' prior.

    It does not collapse where no error was seen, as resampling does: Brown, Cai, DasGupta 2001 for accuracy, Goutte and
    Gaussier 2005 for F1, Brodersen et al. 2010 for balanced accuracy.
    """
    possible = _possible(statistic)
    shares = generator.gamma(statistic.counts[possible] + 0.5, size=(draws, len(possible)))
    return statistic.at(possible, shares)


def _possible(statistic: Means) -> "np.ndarray":
    """Kinds that these rows can have: a class without rows stays without."""
    import numpy as np

    kinds = len(statistic.counts)
    if kinds == 2:
        return np.arange(2)
    pairs = statistic.counts.reshape(-1, 2).sum(axis=1) > 0
    return np.flatnonzero(np.repeat(pairs, 2))
