"""Tasks in forked processes."""

import os
import signal

import pytest

from dagster_project.domain.verdict import Outcome
from dagster_project.quality.library import load
from dagster_project.quality.plan import Check
from dagster_project.quality.run import Job, run_jobs
from dagster_project.quality.sidebyside import Lost, run_all

from .conftest import things


def test_answers_come_in_the_tasks_order() -> None:
    tasks = [lambda number=number: (number, os.getpid()) for number in range(20)]
    assert [answer[0] for answer in run_all(tasks, 2)] == list(range(20))  # type: ignore[index]


def test_a_killed_process_loses_its_tasks_and_says_so() -> None:
    parent = os.getpid()

    def die() -> int:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        import time

        time.sleep(0.2)
        return 1

    answers = run_all([die] * 6, 2)
    lost = [answer for answer in answers if isinstance(answer, Lost)]
    assert len(lost) == 1 and lost[0].exit_code == -signal.SIGKILL


@pytest.mark.parametrize("error", [KeyError("x"), ZeroDivisionError(), MemoryError()])
def test_an_unexpected_exception_is_broken(error: Exception) -> None:
    tabular = load()

    class Falls(tabular.SingleDatasetCheck):  # type: ignore[misc,name-defined]
        def run_logic(self, context: object, dataset_kind: object) -> None:
            raise error

    job = Job(Check("data_integrity", "Falls", Falls(), ()), None, object(), "train", "Falls")
    (ran,) = run_jobs([job], 1, "none")
    assert ran.finding.outcome == Outcome.BROKEN and type(error).__name__ in ran.finding.summary


def test_a_condition_that_raises_is_broken() -> None:
    tabular = load()
    check = tabular.checks.IsSingleValue().add_condition("falls", lambda value: value["no such key"] > 1)
    frame = things(50, 1).select("size", "speed").to_dict(as_series=False)
    import pandas as pd
    from deepchecks.core.checks import DatasetKind

    context = tabular.Context(tabular.Dataset(pd.DataFrame(frame), cat_features=[]), with_display=False)
    job = Job(Check("data_integrity", "IsSingleValue", check, ("error",)), context, DatasetKind.TRAIN, "train", "falls")
    (ran,) = run_jobs([job], 1, "none")
    assert ran.finding.outcome == Outcome.BROKEN
