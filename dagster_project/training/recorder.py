"""Tune's events, as the course of the search takes them, and what a person is told while machines are on their way."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.training.course import Course
from dagster_project.training.progress import Display

if TYPE_CHECKING:
    from ray import tune

_LOOK, _SAY = 5.0, 60.0  # seconds between looks at the cluster, and between words about it


def recorder(course: Course, waiting: "Waiting") -> "tune.Callback":
    """Tune's callback."""
    from ray import tune

    class Recorder(tune.Callback):
        def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
            waiting.look(time.monotonic())

        def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            course.began(trial.config["number"])

        def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: Any, **info: Any) -> None:
            number = trial.config["number"]
            if "error" in result:
                course.failed(number, result["error"])
            else:
                course.resumed(number, result["found"])
                course.measured(number, result["gpu"])
                course.reached(number, result["value"], result["steps"], result["seconds"], result["complete"])

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            course.ended(trial.config["number"])

        def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            course.failed(trial.config["number"], reason(trial))

    return Recorder()


def reason(trial: Any) -> str:
    """Why a trial's worker died, in Ray's words."""
    path = Path(trial.error_file or "")
    return path.read_text().strip() if path.is_file() else "the worker died and Ray gave no reason"


class Waiting:
    """Says that trials wait for machines, again each minute, and when they are there."""

    def __init__(self, wanted: Mapping[str, float], display: Display) -> None:
        self.wanted, self.display = wanted, display
        self.looked = self.said = self.since = -_SAY

    def look(self, now: float) -> None:
        """Called often; looks seldom."""
        if now - self.looked < _LOOK:
            return
        first, self.looked = self.looked < 0, now
        missing = lacking(self.wanted, resources())
        if missing and now - self.said >= _SAY:
            self.since = now if self.since < 0 else self.since
            self.said = now
            self.display.say(f"waiting for machines with {missing}, for {now - self.since:.0f} s now")
        elif not missing and self.since >= 0 and not first:
            self.display.say(f"machines are there after {now - self.since:.0f} s")
            self.said = self.since = -_SAY


def lacking(wanted: Mapping[str, float], there: Mapping[str, float]) -> str:
    """What no trial can begin without: ``2 CPU and 1 GPU``; empty where all is there."""
    short = [f"{count:g} {name}" for name, count in wanted.items() if count > there.get(name, 0.0)]
    return " and ".join(short)


def resources() -> dict[str, float]:
    """What all machines of the connected Ray have together."""
    import ray

    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return found
