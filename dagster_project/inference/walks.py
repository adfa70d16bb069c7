"""Walks from background rows to explained rows, one column after the other, and a model's answers on the way.

A walk starts at a background row and takes the columns of the explained row in the order of a permutation; its twin
takes them in the reverse order (antithetic: Mitchell, Cooper, Frank and Holmes 2022, JMLR 23:43, section 4.1).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.domain.errors import RefusedError

if TYPE_CHECKING:
    import numpy as np

Columns = dict[str, "np.ndarray"]
Answer = Callable[[Columns], "np.ndarray"]
"""Columns (n, width) -> the explained number of each row (n,), or k of them (n, k)."""


@dataclass(frozen=True)
class Walks:
    """The same walks for every explained row, so that a row's values do not depend on the rows beside it.

    ``starts`` (walks,) are background rows, ``ranks`` (walks, names) the step, from 1, that takes each column from
    the explained row. Walks 2p and 2p + 1 are a pair of twins.
    """

    starts: "np.ndarray"
    ranks: "np.ndarray"

    @property
    def states(self) -> int:
        """Rows between the ends of all walks: what one explained row may cost."""
        walks, names = self.ranks.shape
        return int(walks) * (int(names) - 1)


def plan_walks(background: "np.ndarray", names: int, pairs: int, generator: "np.random.Generator") -> Walks:
    """``pairs`` pairs over ``names`` columns from background rows spread evenly over their answers (rows, k)."""
    import numpy as np

    orders = generator.permuted(np.tile(np.arange(1, names + 1), (pairs, 1)), axis=1)
    ranks = np.stack([orders, names + 1 - orders], axis=1).reshape(2 * pairs, names)
    return Walks(np.repeat(_spread(background, pairs, generator), 2), ranks)


def _spread(background: "np.ndarray", pairs: int, generator: "np.random.Generator") -> "np.ndarray":
    """Background rows (pairs,), one from each of as many equal shares of them, sorted by what the model answers.

    Every background row is as likely as any other; a multiple of all rows takes each row as often. This stratifies by
    the quantity that varies most between walks, and cuts the squared error to about half of independent draws.
    """
    import numpy as np

    widest = background.var(axis=0).argmax()
    order = np.argsort(background[:, widest], kind="stable")
    shares = (np.arange(pairs) + generator.random(pairs)) * len(order) / pairs
    chosen = order[np.minimum(shares.astype(np.int64), len(order) - 1)]
    distance = np.abs(background - background[chosen[0]]).sum(axis=1)
    if not distance[chosen].any():  # rare answers were missed; without one, no walk could show what they are due to
        chosen[-1] = distance.argmax()
    return np.asarray(chosen)


def walk(
    answer: Answer, rows: Columns, background: Columns, ends: "tuple[np.ndarray, np.ndarray]", walks: Walks, most: int
) -> "np.ndarray":
    """What each column added to the answer, (rows, pairs, names, k), as the mean of the twins.

    ``ends`` are the answers to the background (background rows, k) and to the rows (rows, k). A step that changes
    nothing, because the row and the background row are equal there, does not go to the model and adds exactly 0.
    """
    import numpy as np

    starts = {name: column[walks.starts] for name, column in background.items()}
    changed = np.stack([_differs(rows[name], starts[name]) for name in rows], axis=2)
    changed = np.take_along_axis(changed, np.argsort(walks.ranks, axis=1)[None], axis=2)  # (rows, walks, steps)
    done = changed.cumsum(axis=2)
    inside = changed & (done < done[:, :, -1:])
    found = ask(answer, _states(rows, starts, walks.ranks, inside, most))
    path = _path(found, inside, done, (ends[0][walks.starts], ends[1]))
    added = np.take_along_axis(np.diff(path, axis=2), walks.ranks[None, :, :, None] - 1, axis=2)
    twins = added.reshape(len(added), -1, 2, *added.shape[2:])
    return np.asarray(twins.mean(axis=2))


def _path(
    found: "np.ndarray", inside: "np.ndarray", done: "np.ndarray", ends: "tuple[np.ndarray, np.ndarray]"
) -> "np.ndarray":
    """The answers along each walk, (rows, walks, 1 + steps, k): at its start, then after each step."""
    import numpy as np

    rows, ways, _ = inside.shape
    sides = ends[0][:, None], ends[1][:, None, None]
    start, end = (np.broadcast_to(side, (rows, ways, 1, side.shape[-1])) for side in sides)
    if not len(found):
        found = np.zeros((1, end.shape[-1]))
    latest = np.maximum(inside.ravel().cumsum() - 1, 0).reshape(inside.shape)
    path = np.where((done < done[:, :, -1:])[..., None], found[latest], end)
    return np.concatenate([start, np.where((done > 0)[..., None], path, start)], axis=2)


def _states(rows: Columns, starts: Columns, ranks: "np.ndarray", inside: "np.ndarray", most: int) -> Iterator[Columns]:
    """The rows between the ends of the walks that differ from the one before, at most ``most`` at a time."""
    import numpy as np

    row, way, step = np.nonzero(inside)
    for first in range(0, len(row), most):
        part = slice(first, first + most)
        taken = ranks[way[part]] <= step[part, None] + 1
        yield {
            name: np.where(taken[:, [place]], column[row[part]], starts[name][way[part]])
            for place, (name, column) in enumerate(rows.items())
        }


def ask(answer: Answer, batches: Iterator[Columns]) -> "np.ndarray":
    """The model's answers to all batches, (n, k) float64.

    Raises RefusedError where an answer is not a finite number for each row.
    """
    import numpy as np

    parts = []
    for columns in batches:
        rows = len(next(iter(columns.values())))
        part = np.asarray(answer(columns), np.float64)
        if part.ndim not in (1, 2) or len(part) != rows:
            raise RefusedError(
                f"the model answered with shape {part.shape} to {rows} rows; (rows,) or (rows, k) is due"
            )
        if not np.isfinite(part).all():
            raise RefusedError("the model answered with what is not a finite number; it cannot be explained")
        parts.append(part.reshape(rows, -1))
    return np.concatenate(parts) if parts else np.empty((0, 0))


def _differs(column: "np.ndarray", other: "np.ndarray") -> "np.ndarray":
    """(n, m): whether entry i of ``column`` (n, width) is another than entry j of ``other`` (m, width); NaN is NaN."""
    import numpy as np

    if column.dtype == object:
        # small integers compare far faster than text, and each distinct text is looked at once
        codes = _codes(np.concatenate([column, other]))
        column, other = codes[: len(column)], codes[len(column) :]
    equal = column[:, None] == other[None]
    if column.dtype.kind == "f":
        equal |= np.isnan(column)[:, None] & np.isnan(other)[None]
    return np.asarray(~equal.all(axis=2))


def _codes(texts: "np.ndarray") -> "np.ndarray":
    import numpy as np

    known: dict[object, int] = {}
    return np.array([known.setdefault(text, len(known)) for text in texts.ravel()]).reshape(texts.shape)
