"""The baselines as trials of a search: what the judge will hold the champion against, in the search's own metric."""

import math
import time
from typing import TYPE_CHECKING

from dagster_project.domain.bundle import BASELINE_FAMILY, Trial
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.spec import ModelSpec
from dagster_project.inference.predictor import Answers
from dagster_project.training.rows import Data
from dagster_project.training.scoring import score

if TYPE_CHECKING:
    import numpy as np


def baseline_trials(spec: ModelSpec, data: Data, positive: int, first: int) -> list[Trial]:
    """Every baseline that there is for these inputs, fitted to the train rows, with its value on the validation rows.

    They are numbered from ``first`` on. ``positive``: index of the class that counts as positive.
    """
    from dagster_project.evaluation.baseline import baselines

    started = time.perf_counter()
    train = (data.train.columns, data.train.labels(data.classes))
    told = baselines(_like(data), data.inputs, train, data.validation.columns, (data.horizon, data.season))
    seconds = round((time.perf_counter() - started) / len(told), 3)
    trials = []
    for number, (name, answers) in enumerate(told.items(), first):
        value = score(spec.search.metric, spec.task, data.validation.target, _numbers(answers), positive)
        trials.append(_trial(number, name, spec.search.metric, value, seconds))
    return trials


def unbeaten(best: Trial, baselines: list[Trial], metric: str) -> str | None:
    """The baselines that the best trial is no better than, in words; None where it beats them all."""
    sign = 1 if METRICS[metric].greater_is_better else -1
    held = [each for each in baselines if each.value is not None and best.value is not None]
    above = [each for each in held if sign * (each.value or 0.0) >= sign * (best.value or 0.0)]
    if not above:
        return None
    named = ", ".join(f"{each.title} ({each.value:.4g})" for each in above)
    return f"in {metric} no trial is better than the {named}. Give the model columns that tell more."


def _like(data: Data) -> Answers:
    import numpy as np

    if not data.classes:
        return Answers(values=np.zeros(0))
    return Answers(classes=data.classes, codes=np.zeros(0, np.int64), scores=np.zeros((0, len(data.classes))))


def _numbers(answers: Answers) -> "np.ndarray":
    numbers = answers.values if answers.scores is None else answers.scores
    assert numbers is not None, "a baseline answers with probabilities or values"
    return numbers


def _trial(number: int, name: str, metric: str, value: float, seconds: float) -> Trial:
    known = math.isfinite(value)
    return Trial(
        number=number,
        family=BASELINE_FAMILY,
        parameters={"answers": name},
        status="completed" if known else "failed",
        value=value if known else None,
        seconds=seconds,
        error=None if known else f"{metric} is {value}",
    )
