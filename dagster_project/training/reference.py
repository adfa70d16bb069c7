"""The rows beside a graph: a few validation rows with its answers, and training rows to explain answers against."""

from typing import TYPE_CHECKING, Any

from dagster_project.domain.bundle import Example, Input, Reference
from dagster_project.inference.predictor import Answers, OnnxPredictor
from dagster_project.training.parity import take
from dagster_project.training.rows import Data

if TYPE_CHECKING:
    import numpy as np

    from dagster_project.training.parity import Columns

LOOKED_AT = 2000
BACKGROUND = 64


def make_reference(predictor: OnnxPredictor, data: Data, restricted: tuple[str, ...]) -> Reference:
    """One example for each class answered among the first validation rows, and training rows, evenly picked."""
    inputs = predictor.manifest.inputs
    rows = masked(take(data.validation.columns, slice(0, LOOKED_AT)), inputs, restricted)
    answers = predictor.predict(rows)
    train = masked(data.train.columns, inputs, restricted)
    step = max(1, len(data.train) // BACKGROUND)
    return Reference(
        examples=tuple(example(rows, answers, place) for place in _places(answers)),
        background={name: tuple(_plain(column[::step][:BACKGROUND])) for name, column in train.items()},
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
    inputs = {name: _plain(column[place])[0] for name, column in rows.items()}
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


def _plain(column: "np.ndarray") -> list[float | str | None]:
    """JSON values; a missing one is None."""
    return [None if value in ("", None) or value != value else value for value in column.reshape(-1).tolist()]
