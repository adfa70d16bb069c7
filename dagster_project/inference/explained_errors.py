"""The answers that were farthest from the truth, each with what its columns added."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.domain.explanation import Contribution, ExplainedError

from .attributions import attribute
from .walks import Answer, Columns

if TYPE_CHECKING:
    import numpy as np

WORST, SHOWN = 5, 5


@dataclass(frozen=True)
class Told:
    """What a model said of a row, and what was true."""

    row_id: str
    said: str
    truth: str
    loss: float


def worst(losses: "np.ndarray", names: Sequence[str]) -> list[int]:
    """Places of the largest losses (n,), the largest first; equal ones by name."""
    return sorted(range(len(losses)), key=lambda place: (-losses[place], names[place]))[:WORST]


def explained_errors(
    answer: Answer, rows: Columns, background: Columns, told: Sequence[Told], shown: Callable[[str, int], str]
) -> tuple[ExplainedError, ...]:
    """``told`` of each of ``rows``, with the columns that added most; ``shown`` is a column's value in row i as text.

    Where several numbers are explained, the parts are the sums of their absolute values.
    """
    found = attribute(answer, rows, background)
    several = found.values.shape[2] > 1
    added = abs(found.values).sum(axis=2) if several else found.values[..., 0]
    return tuple(
        ExplainedError(
            row_id=each.row_id,
            said=each.said,
            truth=each.truth,
            loss=round(each.loss, 6),
            base=round(float(found.base.mean()), 6),
            contributions=tuple(
                Contribution(
                    column=found.names[i], value=shown(found.names[i], place), added=round(float(added[place][i]), 6)
                )
                for i in sorted(range(len(found.names)), key=lambda i: -abs(added[place][i]))[:SHOWN]
            ),
        )
        for place, each in enumerate(told)
    )
