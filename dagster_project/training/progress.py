"""What a person sees while the program trains: a bar on a terminal, plain lines anywhere else."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from dagster_project.domain.bundle import Trial


class Display(Protocol):
    """Where trials and stages are shown."""

    def say(self, line: str) -> None:
        """Show a line."""

    def trial(self, trial: Trial) -> None:
        """Show a trial that ended."""


class Lines:
    """One plain line for each event: for CI, files and pipes."""

    def __init__(self, metric: str, total: int) -> None:
        self.metric, self.total, self.done = metric, total, 0

    def say(self, line: str) -> None:
        """Print at once, so that whoever follows a pipe sees it."""
        print(line, flush=True)

    def trial(self, trial: Trial) -> None:
        """``[3/12] random_forest: roc_auc 0.7031 in 4.2 s``."""
        self.done += 1
        self.say(f"[{self.done}/{self.total}] {describe(trial, self.metric)}")


class Bar:
    """A progress bar with the finished trials above it."""

    def __init__(self, metric: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        self.metric = metric
        self.progress = Progress(console=Console(file=sys.stdout), transient=True)
        self.task = self.progress.add_task("search", total=total)
        self.progress.start()

    def say(self, line: str) -> None:
        """A line above the bar."""
        self.progress.console.print(line, highlight=False, markup=False)

    def trial(self, trial: Trial) -> None:
        """A line, and one step of the bar."""
        self.progress.advance(self.task)
        self.say(describe(trial, self.metric))

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.progress.stop()


@contextmanager
def display(metric: str, total: int) -> Iterator[Display]:
    """A bar where someone looks at a terminal, lines in CI and pipes."""
    if not sys.stdout.isatty() or os.environ.get("CI"):
        yield Lines(metric, total)
        return
    bar = Bar(metric, total)
    try:
        yield bar
    finally:
        bar.close()


def describe(trial: Trial, metric: str) -> str:
    """A trial in a line; a failed one with its reason."""
    if trial.status == "failed":
        reason = (trial.error or "").strip().splitlines()[-1:] or ["no reason given"]
        return f"{trial.title}: failed: {reason[0]}"
    value = "no value yet" if trial.value is None else f"{metric} {trial.value:.4f}"
    steps = f", {trial.steps} steps" if trial.steps > 1 else ""
    stopped = ", stopped early" if trial.status == "stopped" else ""
    return f"{trial.title}: {value} in {trial.seconds:.1f} s{steps}{stopped}"


class Stopwatch:
    """Wall seconds by stage. A stage may be entered again; its times add up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what runs inside."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - begin, 3)
