"""What each column of a row added to a model's answer: Shapley values, sampled (docs/explanations.md).

Castro, Gomez and Tejada 2009 (sampling by permutations); Strumbelj and Kononenko 2014 (over a background of rows);
Lundberg and Lee 2017 (as explanations); Mitchell, Cooper, Frank and Holmes 2022 (antithetic pairs). The model is a
function and nothing else is known of it: the same code explains every family.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.domain.errors import MachineryError, RefusedError

from .predictor import Answers, OnnxPredictor
from .walks import Answer, Columns, Walks, ask, plan_walks, walk

if TYPE_CHECKING:
    import numpy as np

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Attributions:
    """``answers`` (rows, k) = ``base`` (k,) + the sum over names of ``values`` (rows, names, k).

    ``base`` is the mean answer to the background, ``standard_errors`` (rows, names, k) say how far the values may be
    from what endless sampling would give, and ``additivity`` is the largest difference between both sides above.
    """

    names: tuple[str, ...]
    base: "np.ndarray"
    values: "np.ndarray"
    answers: "np.ndarray"
    standard_errors: "np.ndarray"
    additivity: float


def attribute(
    answer: Answer, rows: Columns, background: Columns, pairs: int = 25, seed: int = 0, most_rows_a_call: int = 50_000
) -> Attributions:
    """Explain ``rows`` against ``background``: columns of shape (n,) or (n, width), numbers or text.

    Costs at most ``2 * pairs * (names - 1)`` answers a row, and one for each background row. The same seed gives the
    same values, whatever other rows are explained in the same call. A column that the model does not read gets
    exactly 0, if the model answers equal rows alike bit for bit.

    Raises:
        RefusedError: there is nothing to explain or nothing to hold it against, the columns of both differ, or the
            model's answers are not finite numbers.
        MachineryError: the parts do not add up to the answers.
    """
    import numpy as np

    if pairs < 2 or most_rows_a_call < 1:
        raise RefusedError(f"{pairs} pairs, {most_rows_a_call} rows a call: it takes 2 pairs and 1 row, or more")
    rows, background = _matched(rows, background)
    usual = ask(answer, _batches(background, most_rows_a_call))
    answers = ask(answer, _batches(rows, most_rows_a_call))
    walks = plan_walks(usual, len(rows), pairs, np.random.default_rng(seed))
    explained = [
        _values(walk(answer, part, background, (usual, ends), walks, most_rows_a_call), ends - usual.mean(axis=0))
        for part, ends in _blocks(rows, answers, walks, most_rows_a_call)
    ]
    values, errors = (np.concatenate([part[i] for part in explained]) for i in range(2))
    base = usual.mean(axis=0)
    return Attributions(tuple(rows), base, values, answers, errors, _additivity(base, values, answers))


def explained_output(
    answers: Answers, positive: str | int | bool | None = None
) -> "tuple[tuple[str | int | bool, ...], np.ndarray]":
    """The names of what is explained and the numbers (n, k).

    Regression: the value. Two classes: the probability of ``positive``, by default the last class. More: of each class.

    Raises:
        RefusedError: ``positive`` is none of the classes.
    """
    import numpy as np

    if answers.scores is None:
        return ("value",), np.asarray(answers.values)[:, None]
    if positive is not None and positive not in answers.classes:
        raise RefusedError(f"{positive!r} is none of the model's classes: {list(answers.classes)}")
    if positive is None and len(answers.classes) > 2:
        return answers.classes, answers.scores
    place = len(answers.classes) - 1 if positive is None else answers.classes.index(positive)
    return (answers.classes[place],), answers.scores[:, [place]]


def answer_of(predictor: OnnxPredictor, positive: str | int | bool | None = None) -> Answer:
    """A champion as the function that :func:`attribute` explains."""
    return lambda columns: explained_output(predictor.predict(columns), positive)[1]


def _values(added: "np.ndarray", due: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """Values and standard errors (rows, names, k) of ``added`` (rows, pairs, names, k), which have to sum to ``due``.

    The walks start at a sample of the background, so their sum is off by what that sample's mean is off. The sum being
    known, the values of least variance that have it take the rest in proportion to their own variance (least squares
    under a linear constraint; the pairs are taken as uncorrelated between columns). A column that never changed the
    answer has variance 0 and takes none. Neighbouring pairs start at rows of neighbouring answers, so the variance
    comes from successive differences (Wolter 2007, Introduction to Variance Estimation, section 8.2).
    """
    import numpy as np

    values = added.mean(axis=1)
    variance = (np.diff(added, axis=1) ** 2).mean(axis=1) / 2
    # where all walks agree, columns take the rest by how much they move any output; where none does, there is no rest
    moved = (added**2).mean(axis=(1, 3))[..., None]
    weights = np.where(variance.sum(axis=1, keepdims=True) > 0, variance, moved)
    total = weights.sum(axis=1, keepdims=True)
    shares = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return values + shares * (due - values.sum(axis=1))[:, None], np.sqrt(variance / added.shape[1])


def _additivity(base: "np.ndarray", values: "np.ndarray", answers: "np.ndarray") -> float:
    import numpy as np

    gap = float(np.abs(base + values.sum(axis=1) - answers).max())
    if not gap <= TOLERANCE * max(np.abs(answers).max(), np.abs(values).max(), np.abs(base).max()):  # nor NaN
        raise MachineryError(f"the explanation's parts miss the answer by {gap:.3g}; it is not given")
    return gap


def _blocks(rows: Columns, answers: "np.ndarray", walks: Walks, most: int) -> "Iterator[tuple[Columns, np.ndarray]]":
    """As many rows at a time as walk within ``most`` states, so that memory is bounded."""
    size = max(1, most // max(1, walks.states))
    for first in range(0, len(answers), size):
        part = slice(first, first + size)
        yield {name: column[part] for name, column in rows.items()}, answers[part]


def _batches(columns: Columns, most: int) -> Iterator[Columns]:
    for first in range(0, len(next(iter(columns.values()))), most):
        yield {name: column[first : first + most] for name, column in columns.items()}


def _matched(rows: Columns, background: Columns) -> tuple[Columns, Columns]:
    """Both with the same names in the same order, as (n, width), numbers of one type or text as objects."""
    import numpy as np

    if rows.keys() != background.keys() or not rows:
        odd = sorted(rows.keys() ^ background.keys())
        raise RefusedError(f"the rows and the background have other columns: {odd}; pass the same to both")
    both = {name: (_column(name, rows[name]), _column(name, background[name])) for name in rows}
    for name, (row, usual) in both.items():
        if row.shape[1] != usual.shape[1] or (row.dtype == object) != (usual.dtype == object):
            shapes = f"{row.dtype}, {row.shape[1]} wide; {usual.dtype}, {usual.shape[1]} wide"
            raise RefusedError(f"the column {name!r} is not alike in the rows and the background: {shapes}")
    for place, what in enumerate(("rows to explain", "background rows to hold them against")):
        lengths = {len(pair[place]) for pair in both.values()}
        if len(lengths) > 1 or 0 in lengths:
            raise RefusedError(f"the {what} number {sorted(lengths)}; pass one or more, as many in each column")
    types = {name: np.result_type(*pair) for name, pair in both.items()}
    first, second = ({n: pair[i].astype(types[n], copy=False) for n, pair in both.items()} for i in range(2))
    return first, second


def _column(name: str, column: "np.ndarray") -> "np.ndarray":
    import numpy as np

    column = np.asarray(column)
    if column.ndim not in (1, 2) or column.dtype.kind not in "biufOU":
        raise RefusedError(f"the column {name!r} is {column.dtype} of shape {column.shape}; (rows, width) is due")
    column = column.reshape(len(column), -1) if column.ndim == 1 else column
    return column.astype(object) if column.dtype.kind == "U" else column
