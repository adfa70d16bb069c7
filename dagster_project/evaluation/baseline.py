"""The answer of somebody who knows no row, only what came before: a model that is no better has learnt nothing."""

from typing import TYPE_CHECKING

from dagster_project.domain.families import Task
from dagster_project.domain.gate_findings import BASELINE
from dagster_project.domain.verdict import Measurement
from dagster_project.inference.predictor import Answers, encode

from .comparison import compare

if TYPE_CHECKING:
    import numpy as np


SIGNIFICANCE = 0.01
"""Of models that have learnt nothing so many may pass."""


def baseline_answers(like: Answers, train: "np.ndarray", rows: int) -> Answers:
    """To every one of ``rows`` rows the share of each class among the ``train`` labels (n,), or their mean."""
    import numpy as np

    if like.codes is None:
        return Answers(values=np.full(rows, np.asarray(train, np.float64).mean()))
    codes = encode(train, like.classes)
    shares = np.bincount(codes[codes >= 0], minlength=len(like.classes)) / max(1, (codes >= 0).sum())
    return Answers(
        classes=like.classes, codes=np.full(rows, shares.argmax(), np.int64), scores=np.tile(shares, (rows, 1))
    )


def baseline_gain(
    answers: Answers, labels: "np.ndarray", train: "np.ndarray", task: Task, seed: int = 0
) -> Measurement:
    """How much less the model loses on the validation ``labels`` (n,) than the baseline, paired by row.

    In log loss, or in root mean squared error; the gain is below ``low`` in 1 of 100 only.
    """
    metric = "rmse" if task == "regression" else "log_loss"
    told = baseline_answers(answers, train, len(labels))
    found = compare(metric, answers, told, labels, rows="validation", significance=SIGNIFICANCE, seed=seed)
    return Measurement(
        metric=BASELINE, rows="validation", value=found.gain, low=found.low,
        high=found.gain + (found.gain - found.low), confidence=1 - 2 * SIGNIFICANCE, count=found.count,
        method=f"{metric}, {found.method}",
    )  # fmt: skip
