"""What each part of one input added to a model's answer: the sampling of :mod:`attributions`, over parts there or not.

An image has patches, a window has stretches of steps; a part that is not there is as in the mean training row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .attributions import attribute
from .walks import Answer, Columns

if TYPE_CHECKING:
    import numpy as np

MOST_PATCHES, MOST_STRETCHES = 7, 24
"""Patches a side of an image, and stretches of a window."""


@dataclass(frozen=True)
class PartAttributions:
    """``values`` (parts, k) and ``base`` (k,), the answer without any part, add up to the answer."""

    values: "np.ndarray"
    base: "np.ndarray"


def attribute_parts(
    answer: Answer,
    row: Columns,
    column: str,
    parts: int,
    build: "Callable[[np.ndarray], np.ndarray]",
    pairs: int = 25,
    seed: int = 0,
) -> PartAttributions:
    """Explain what ``row``, columns of shape (1, width), has in ``column``.

    ``build`` makes (n, width) of which parts are there, (n, parts). Costs at most ``2 * pairs * (parts - 1)`` answers.

    Raises:
        RefusedError, MachineryError: as :func:`attributions.attribute`.
    """
    import numpy as np

    names = [f"{place}" for place in range(parts)]

    def answer_to(there: Columns) -> "np.ndarray":
        made = build(np.hstack([there[name].reshape(-1, 1) for name in names]) > 0)
        same = {name: np.repeat(values, len(made), axis=0) for name, values in row.items()}
        return answer({**same, column: made})

    whole, nothing = ({name: np.full((1, 1), here, np.float32) for name in names} for here in (1.0, 0.0))
    found = attribute(answer_to, whole, nothing, pairs=pairs, seed=seed)
    return PartAttributions(found.values[0], found.base)


def attribute_numbers(
    answer: Answer, row: Columns, column: str, owners: "np.ndarray", usual: "np.ndarray", pairs: int = 25, seed: int = 0
) -> PartAttributions:
    """The same of an image or a window: ``owners`` (width,) says of which part each number is, ``usual`` (width,) what
    stands there where the part is not."""
    import numpy as np

    seen = row[column].reshape(-1)

    def build(there: "np.ndarray") -> "np.ndarray":
        return np.where(there[:, owners], seen, usual).astype(seen.dtype)

    return attribute_parts(answer, row, column, int(owners.max()) + 1, build, pairs, seed)


def patches_of(shape: tuple[int, ...]) -> "tuple[np.ndarray, tuple[int, int]]":
    """Which patch each number of an image (height, width, channels) is of, (n,), and how many there are each way."""
    import numpy as np

    height, width, channels = shape
    sides = min(MOST_PATCHES, height), min(MOST_PATCHES, width)
    rows, columns = (np.arange(size) * side // size for size, side in zip((height, width), sides, strict=True))
    owners = rows[:, None] * sides[1] + columns
    return np.repeat(owners.reshape(-1), channels), sides


def stretches_of(steps: int) -> "np.ndarray":
    """Which stretch each step of a window is of, (steps,)."""
    import numpy as np

    count = min(MOST_STRETCHES, steps)
    owners: np.ndarray = np.arange(steps) * count // steps
    return owners
