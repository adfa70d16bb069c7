"""Tests of a model's behaviour, run: the share of rows for which each holds."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dagster_project.domain.behaviour import Behaviour, Change
from dagster_project.domain.contract import Scalar
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.measured import BEHAVIOUR
from dagster_project.domain.verdict import Measurement
from dagster_project.inference.predictor import Answers

from .metrics import Positive, position

if TYPE_CHECKING:
    import numpy as np

    Columns = Mapping[str, np.ndarray]

ROWS = 1000


def measure_behaviour(
    test: Behaviour, predict: "Callable[[Columns], Answers]", columns: "Columns", positive: Positive = None
) -> Measurement:
    """The share of rows for which ``test`` holds: of at most ``ROWS`` of the ``columns`` (n, width), or of its own."""
    if test.change is None:
        held = _given(test, predict, columns)
    else:
        taken = {name: column[:: max(1, len(column) // ROWS)][:ROWS] for name, column in columns.items()}
        which = positive if test.of is None else test.of
        before, after = (_looked_at(predict(rows), which) for rows in (taken, changed(taken, test.change)))
        gain, room = after - before, test.tolerance
        held = {"same": abs(gain) <= room, "more": gain >= -room, "less": gain <= room}[str(test.expect)]
    return Measurement(
        metric=BEHAVIOUR, rows="validation", value=float(held.mean()), count=len(held), against=test.name,
        method="share of rows",
    )  # fmt: skip


def changed(columns: "Columns", change: Change) -> "Columns":
    """The columns with what is set, added or appended; what is missing stays so."""
    import numpy as np

    made: dict[str, Any] = dict(columns)
    for name, value in change.set.items():
        made[name] = np.full_like(columns[name], _as_told(value, columns[name]))
    for name, number in change.add.items():
        made[name] = columns[name] + columns[name].dtype.type(number)
    for name, words in change.append.items():
        made[name] = np.array([[text + words if text else text for text in row] for row in columns[name]], object)
    return made


def _given(test: Behaviour, predict: "Callable[[Columns], Answers]", columns: "Columns") -> "np.ndarray":
    import numpy as np

    rows = {
        name: np.full((len(test.rows), column.shape[1]), _missing(column), column.dtype)
        for name, column in columns.items()
    }
    for place, row in enumerate(test.rows):
        for name, value in row.items():
            rows[name][place] = _as_told(value, rows[name])
    said = predict(rows)
    if said.values is not None:
        near: np.ndarray = np.abs(said.values - np.array(test.answers, float)) <= test.tolerance
        return near
    return np.array([answer == wanted for answer, wanted in zip(said.labels.tolist(), test.answers, strict=True)])


def _missing(column: "np.ndarray") -> Any:
    return "" if column.dtype == object else float("nan")


def _as_told(value: Any, column: "np.ndarray") -> Any:
    """A value as the graph takes it: true is 1, or "true" where categories are text."""
    if column.dtype == object:
        return str(value).lower() if isinstance(value, bool) else str(value)
    return float(value)


def _looked_at(answers: Answers, which: Scalar | None) -> "np.ndarray":
    import numpy as np

    if answers.values is not None:
        return answers.values
    if which is not None and which not in answers.classes:
        known = ", ".join(map(str, answers.classes))
        raise RefusedError(f"a test looks at the class {which}, and the model answers {known}")
    assert answers.scores is not None and not isinstance(which, float), "classes have probabilities"
    return np.asarray(answers.scores[:, position(answers, which)])
