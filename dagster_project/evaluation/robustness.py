"""How much worse a model is on rows that are disturbed a little, as cameras, keyboards and sensors do."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from dagster_project.domain.behaviour import DISTURBS, Disturbance
from dagster_project.domain.bundle import Input
from dagster_project.domain.measured import loss_of
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.verdict import Measurement
from dagster_project.inference.predictor import Answers

from .measuring import point
from .metrics import Positive

if TYPE_CHECKING:
    import numpy as np

    Columns = Mapping[str, np.ndarray]

ROWS = 2000
NOISE, WHITE = 8.0, 255.0
A_LETTER_IN, A_STEP_IN = 20, 20
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def measure_robustness(
    metric: str,
    changes: Iterable[Disturbance],
    predict: "Callable[[Columns], Answers]",
    columns: "Columns",
    labels: "np.ndarray",
    inputs: Iterable[Input],
    positive: Positive = None,
    seed: int = 0,
) -> list[Measurement]:
    """By how much ``metric`` gets worse under each change, on at most ``ROWS`` rows; below 0 it gets better."""
    step = max(1, len(labels) // ROWS)
    taken, truth = {name: column[::step] for name, column in columns.items()}, labels[::step]
    sign = 1.0 if METRICS[metric].greater_is_better else -1.0
    whole = point(metric, predict(taken), truth, positive)
    found = []
    for change in changes:
        now = point(metric, predict(disturbed(taken, change, tuple(inputs), seed)), truth, positive)
        found.append(
            Measurement(
                metric=loss_of(metric), rows="validation", value=sign * (whole - now), count=len(truth), against=change,
                method=f"{metric} {whole:.4g} as they are, {now:.4g} disturbed",
            )
        )  # fmt: skip
    return found


def disturbed(columns: "Columns", change: Disturbance, inputs: Iterable[Input], seed: int = 0) -> "Columns":
    """The columns (n, width) with every input of the change's kind disturbed; the same seed does the same."""
    import numpy as np

    chance, modality = np.random.default_rng(seed), DISTURBS[change]
    return {
        **columns,
        **{
            each.name: _disturbed(columns[each.name], change, each, chance)
            for each in inputs
            if each.modality == modality
        },
    }


def _disturbed(column: "np.ndarray", change: Disturbance, entry: Input, chance: "np.random.Generator") -> "np.ndarray":
    import numpy as np

    match change:
        case "shift":
            images = column.reshape(-1, *entry.shape)
            moved = np.roll(images, 1, axis=int(chance.integers(1, 3)))
            made = moved.reshape(column.shape)
        case "noise":
            noisy = np.clip(column + chance.normal(0, NOISE, column.shape), 0, WHITE)
            made = noisy.round()
        case "typos":
            made = np.array([[_mistyped(str(text), chance)] for text in column[:, 0]], object)
        case "capitals":
            made = np.array([[str(text).upper()] for text in column[:, 0]], object)
        case "missing_steps":
            made = np.where(chance.random(column.shape) < 1 / A_STEP_IN, np.nan, column)
        case "jitter":
            spread = np.nanstd(column, axis=1, keepdims=True)
            made = column + chance.normal(0, 1, column.shape) * spread / A_STEP_IN
    return np.asarray(made, column.dtype)


def _mistyped(text: str, chance: "np.random.Generator") -> str:
    letters = list(text)
    for place in chance.integers(0, max(1, len(letters)), len(letters) // A_LETTER_IN + bool(letters)):
        letters[place] = _LETTERS[chance.integers(len(_LETTERS))]
    return "".join(letters)
