"""How much a model leans on each column, over many rows: shares of the mean absolute attributions."""

from typing import TYPE_CHECKING

from .attributions import Attributions

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 200


def attribution_shares(found: Attributions, seed: int = 0) -> "tuple[np.ndarray, np.ndarray]":
    """Shares (names,) that sum to 1, and their standard errors by resampling rows; all 0 where nothing is added."""
    import numpy as np

    sizes = np.abs(found.values).sum(axis=2)
    generator, rows = np.random.default_rng(seed), len(sizes)
    weights = generator.multinomial(rows, np.full(rows, 1 / rows), RESAMPLES)
    drawn = _shares(weights @ sizes)
    return _shares(sizes.sum(axis=0)[None])[0], drawn.std(axis=0)


def _shares(sums: "np.ndarray") -> "np.ndarray":
    import numpy as np

    total = sums.sum(axis=1, keepdims=True)
    found: np.ndarray = np.divide(sums, total, out=np.zeros_like(sums, dtype=float), where=total > 0)
    return found
