"""The exported graph held against the estimator: the same float32 rows, at most 1e-5 apart, no flipped label.

Converters go wrong silently (facts: isotonic calibration, native categories, forests trained with NaN, tokens), so
nothing is exported that was not compared: on validation rows and on rows planted where conversions break.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dagster_project.domain.bundle import Parity
from dagster_project.domain.errors import RefusedError

if TYPE_CHECKING:
    import numpy as np

TOLERANCE = 1e-5
SINGLE_ROWS = 16

Columns = dict[str, "np.ndarray"]
"""The graph's inputs by name, each of shape (rows, width), float32 or str objects."""


class Answer(NamedTuple):
    """Labels of shape (rows,), None for regression, with probabilities (rows, classes) or values (rows, 1)."""

    labels: "np.ndarray | None"
    numbers: "np.ndarray"


@dataclass(frozen=True)
class Comparison:
    """One batch: distance of each row's numbers, and which labels flipped outside ties."""

    distance: "np.ndarray"
    flipped: "np.ndarray"


def check_parity(
    family: str, model: bytes, reference: Callable[["Columns"], Answer], rows: "Columns", planted: dict[str, "Columns"]
) -> Parity:
    """Compare graph and estimator on ``rows``, on each kind of planted rows, one row at a time and on no row at all.

    Raises:
        RefusedError: they differ; the message names the kind of rows, the worst row and both answers.
    """
    run = runner(model)
    scale = spread(reference(rows))
    worst, flipped, count = 0.0, 0, 0
    for kind, batch in {"validation": rows, **planted}.items():
        expected, given = reference(batch), run(batch)
        found = compare(expected, given, scale)
        if found.distance.max(initial=0.0) > TOLERANCE or found.flipped.any():
            raise RefusedError(_complaint(family, kind, batch, expected, given, found))
        worst, count = max(worst, float(found.distance.max(initial=0.0))), count + len(found.distance)
    _check_batching(family, run, rows)
    kinds = (*planted, "empty", "single_row")
    return Parity(maximum_difference=worst, flipped_labels=flipped, rows=count, planted=kinds)


def runner(model: bytes) -> Callable[["Columns"], Answer]:
    """The graph as a function, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]

    def run(columns: "Columns") -> Answer:
        outputs = session.run(None, {name: columns[name] for name in names})
        return Answer(None, outputs[0]) if len(outputs) == 1 else Answer(outputs[0], outputs[1])

    return run


def spread(answer: Answer) -> float:
    """The unit of distance: 1 for probabilities, one standard deviation of the answers for values."""
    import numpy as np

    finite = answer.numbers[np.isfinite(answer.numbers)]
    if answer.labels is not None or not len(finite):
        return 1.0
    return float(finite.std()) or 1.0


def compare(expected: Answer, given: Answer, scale: float) -> Comparison:
    """Distances in units of ``scale``, or of the value itself where that is larger: float32 has seven digits.

    An answer that is not a number, or of another shape, is infinitely far.
    """
    import numpy as np

    wanted, got = np.asarray(expected.numbers, np.float64), np.asarray(given.numbers, np.float64)
    if wanted.shape != got.shape:
        return Comparison(np.full(len(wanted), np.inf), np.ones(len(wanted), bool))
    unit = np.full_like(wanted, scale) if expected.labels is not None else np.maximum(np.abs(wanted), scale)
    with np.errstate(invalid="ignore"):
        distance = np.nan_to_num(np.abs(wanted - got) / unit, nan=np.inf).max(axis=1, initial=0.0)
    if expected.labels is None or given.labels is None:
        return Comparison(distance, np.zeros(len(wanted), bool))
    return Comparison(distance, (expected.labels != given.labels) & ~ties(wanted))


def ties(scores: "np.ndarray") -> "np.ndarray":
    """Rows whose two best classes are closer than the tolerance can tell apart."""
    import numpy as np

    best = np.sort(scores, axis=1)[:, -2:]
    apart: np.ndarray = best[:, 1] - best[:, 0]
    return apart <= 2 * TOLERANCE


def _check_batching(family: str, run: Callable[["Columns"], Answer], rows: "Columns") -> None:
    """Rows one by one answer as they do together, and no rows answer with no rows."""
    import numpy as np

    together = run(take(rows, slice(0, SINGLE_ROWS)))
    for place in range(len(together.numbers)):
        alone = run(take(rows, slice(place, place + 1)))
        found = compare(Answer(None, together.numbers[place : place + 1]), Answer(None, alone.numbers), 1.0)
        if found.distance.max() > TOLERANCE:
            raise RefusedError(f"{family}: validation row {place} alone answers otherwise than in a batch.")
    empty = run(take(rows, slice(0, 0))).numbers
    if empty.shape != (0, together.numbers.shape[1]) or not np.isfinite(empty).all():
        raise RefusedError(f"{family}: a batch of no rows answers with shape {empty.shape}.")


def take(columns: "Columns", rows: "slice | np.ndarray") -> "Columns":
    """Some of the rows of every column."""
    return {name: column[rows] for name, column in columns.items()}


def _complaint(family: str, kind: str, batch: "Columns", expected: Answer, given: Answer, found: Comparison) -> str:
    row = int((found.distance + found.flipped).argmax())
    shown = {name: column[row, 0] if column.shape[1] == 1 else column[row, :4] for name, column in batch.items()}
    cells = ", ".join(f"{name}={value!r}" for name, value in list(shown.items())[:12])
    wrong = int((found.distance > TOLERANCE).sum())
    return (
        f"{family}: the ONNX graph is not the estimator. On {kind} rows {wrong} of {len(found.distance)} differ by "
        f"more than {TOLERANCE}, {int(found.flipped.sum())} labels flip. Worst: row {row} ({cells}): the estimator "
        f"says {expected.numbers[row].tolist()}, the graph {given.numbers[row].tolist()}. "
        "Take the family or its parameters out of the search."
    )
