"""The course of a search: every trial that began, as it stands, and how it ended."""

import math
import time
from typing import Any, Literal

from dagster_project.domain.bundle import Trial
from dagster_project.domain.lease import GpuUse
from dagster_project.training.progress import Display
from dagster_project.training.space import Proposal

Status = Literal["completed", "stopped", "failed"]


class Course:
    """Keeps the last word of each trial and shows each end once."""

    def __init__(self, proposals: list[Proposal], display: Display) -> None:
        self.proposals, self.display = proposals, display
        self.trials: dict[int, Trial] = {}
        self.open: dict[int, float] = {}
        self.found: dict[int, int] = {}
        self.gpus: dict[int, GpuUse] = {}

    def began(self, number: int) -> None:
        """The trial runs."""
        self.open.setdefault(number, time.perf_counter())

    def reached(self, number: int, value: float, steps: int, seconds: float, done: bool) -> None:
        """The trial has a value after ``steps``; one that is not finite fails it."""
        if not math.isfinite(value):
            self._keep(number, "failed", None, steps, seconds, f"the metric is {value}")
        else:
            self._keep(number, "completed" if done else "stopped", value, steps, seconds)

    def resumed(self, number: int, found: int) -> None:
        """The trial's process began with ``found`` steps done: said once, for they are those of a process now lost."""
        if found > self.found.get(number, 0):
            self.found[number] = found
            self.display.say(f"trial {number} {self.proposals[number].family}: goes on after step {found}")

    def measured(self, number: int, gpu: dict[str, Any] | None) -> None:
        """What the trial's cards did so far; None where it has none."""
        if gpu is not None:
            self.gpus[number] = GpuUse.model_validate(gpu)

    def failed(self, number: int, reason: str) -> None:
        """The trial raised, or its worker died, perhaps before it began; one that ended already keeps its value."""
        if number in self.trials and number not in self.open:
            return
        self.began(number)
        self._keep(number, "failed", None, 0, time.perf_counter() - self.open[number], reason)
        self.ended(number)

    def ended(self, number: int) -> None:
        """Nothing more comes from the trial."""
        if self.open.pop(number, None) is not None:
            self.display.trial(self.trials[number])

    def finish(self) -> list[Trial]:
        """The search is over: trials that run yet are stopped. All that began, by number."""
        for number, begin in sorted(self.open.items()):
            if number not in self.trials:
                self._keep(number, "stopped", None, 0, time.perf_counter() - begin)
            self.ended(number)
        return [self.trials[number] for number in sorted(self.trials)]

    def _keep(
        self, number: int, status: Status, value: float | None, steps: int, seconds: float, error: str | None = None
    ) -> None:
        self.trials[number] = Trial(
            number=number,
            family=self.proposals[number].family,
            parameters=self.proposals[number].parameters,
            status=status,
            value=value,
            seconds=round(seconds, 3),
            steps=steps,
            error=error,
        )
