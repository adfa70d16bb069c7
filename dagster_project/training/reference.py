"""The rows beside a graph: a few validation rows with its answers, and training rows to explain answers against."""

from typing import TYPE_CHECKING, Any

from dagster_project.domain.bundle import Cell, Example, Input, Reference
from dagster_project.inference.predictor import Answers, OnnxPredictor
from dagster_project.training.parity import take
from dagster_project.training.rows import Data

if TYPE_CHECKING:
    import numpy as np

    from dagster_project.training.parity import Columns

LOOKED_AT = 2000
BACKGROUND, FEWEST = 64, 8
MOST_NUMBERS = 100_000  # of a wide column, in a file that a server reads


def make_reference(predictor: OnnxPredictor, data: Data, restricted: tuple[str, ...]) -> Reference:
    """One example for each class answered among the first validation rows, and training rows, evenly picked."""
    inputs = predictor.manifest.inputs
    rows = masked(take(data.validation.columns, slice(0, LOOKED_AT)), inputs, restricted)
    answers = predictor.predict(rows)
    train = masked(data.train.columns, inputs, restricted)
    most = min(BACKGROUND, max(FEWEST, MOST_NUMBERS // max(item.width for item in inputs)))
    step = max(1, len(data.train) // most)
    return Reference(
        examples=tuple(example(rows, answers, place) for place in _places(answers)),
        background={name: _cells(column[::step][:most]) for name, column in train.items()},
    )


def masked(columns: "Columns", inputs: tuple[Input, ...], restricted: tuple[str, ...]) -> "Columns":
    """The columns, with every value of the restricted ones missing."""
    import numpy as np

    missing = {entry.name: "" if entry.dtype == "string" else np.nan for entry in inputs}
    return {
        name: np.full_like(column, missing[name]) if name in restricted else column for name, column in columns.items()
    }


def example(rows: "Columns", answers: Answers, place: int) -> Example:
    """The row at ``place`` with its answer."""
    inputs = {name: _cells(column[place : place + 1])[0] for name, column in rows.items()}
    if answers.scores is None:
        return Example(inputs=inputs, outputs={"value": float(answers.labels[place])})
    label = answers.labels[place]
    said: dict[str, Any] = {"label": getattr(label, "item", lambda: label)()}
    return Example(inputs=inputs, outputs={**said, "probabilities": [float(x) for x in answers.scores[place]]})


def _places(answers: Answers) -> list[int]:
    """The first row of each answered class; of a regression the first row."""
    import numpy as np

    if answers.codes is None:
        return [0] if len(answers) else []
    return sorted(int(place) for place in np.unique(answers.codes, return_index=True)[1])


def _cells(column: "np.ndarray") -> tuple[Cell, ...]:
    """JSON values of (rows, width), a tuple a row where it is wide; a missing one is None."""
    rows = [tuple(None if value in ("", None) or value != value else value for value in row) for row in column.tolist()]
    return tuple(row[0] if len(row) == 1 else row for row in rows)
