"""A metric on slices of the rows, with intervals that hold for all slices at once (Bonferroni)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dagster_project.domain.families import Task
from dagster_project.domain.gates import SlicesGate
from dagster_project.domain.verdict import Measurement
from dagster_project.inference.predictor import Answers

from .measuring import measure, point
from .metrics import Positive, defined

if TYPE_CHECKING:
    import numpy as np

MOST_VALUES = 20
MISSING = "missing"


def measure_slices(
    gate: SlicesGate,
    answers: Answers,
    labels: "np.ndarray",
    columns: "Mapping[str, np.ndarray]",
    task: Task,
    positive: Positive = None,
    seed: int = 0,
) -> list[Measurement]:
    """``gate.metric`` on each slice of the validation rows, named ``column=value``.

    Columns (n,) of text are cut by value, numbers with more than 20 values into quarters. Slices of fewer than
    ``gate.minimum_rows`` rows have no interval. Slices on which the metric is undefined (one class) are left out.
    """
    cut = [(name, mask) for column in gate.by for name, mask in _cut(column, columns[column])]
    cut = [(name, mask) for name, mask in cut if defined(gate.metric, task, labels[mask])]
    large = sum(int(mask.sum()) >= gate.minimum_rows for _, mask in cut)
    confidence = 1 - (1 - gate.confidence) / max(1, large)
    found = []
    for name, mask in cut:
        part, truth = rows_of(answers, mask), labels[mask]
        if len(truth) < gate.minimum_rows:
            value = point(gate.metric, part, truth, positive)
            found.append(Measurement(metric=gate.metric, rows="validation", value=value, count=len(truth), slice=name))
        else:
            found += measure(
                part,
                truth,
                task,
                [gate.metric],
                rows="validation",
                confidence=confidence,
                positive=positive,
                slice=name,
                seed=seed,
            )
    return found


def rows_of(answers: Answers, mask: "np.ndarray") -> Answers:
    """The answers to some of the rows: ``mask`` (n,) booleans or positions."""
    parts = {name: getattr(answers, name) for name in ("codes", "scores", "values")}
    return Answers(
        classes=answers.classes, **{name: part if part is None else part[mask] for name, part in parts.items()}
    )


def _cut(column: str, values: "np.ndarray") -> "Iterator[tuple[str, np.ndarray]]":
    import numpy as np

    names = _named(np.asarray(values).reshape(-1))
    for name in sorted(set(names.tolist())):
        yield f"{column}={name}", names == name


def _named(values: "np.ndarray") -> "np.ndarray":
    """The name of each row's slice (n,)."""
    import numpy as np

    if values.dtype.kind not in "fiu":
        return np.array([MISSING if value in (None, "") else str(value) for value in values.tolist()], dtype=object)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    known = values[~missing]
    names = np.full(len(values), MISSING, dtype=object)
    if len(np.unique(known)) <= MOST_VALUES:
        names[~missing] = [f"{value:g}" for value in known.tolist()]
        return names
    edges = np.unique(np.quantile(known, [0, 0.25, 0.5, 0.75, 1], method="lower"))
    quarter = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, len(edges) - 2)
    names[~missing] = [f"{edges[i]:g} to {edges[i + 1]:g}" for i in quarter]
    return names
