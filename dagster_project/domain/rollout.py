"""What happens to a new champion on a server: it stays where it is, advances, or is rejected. Pure."""

from dataclasses import dataclass
from typing import Literal

from .serving import Bounds, Rollout, Stage

Place = Literal["live", "canary", "shadow"]


@dataclass(frozen=True)
class Observed:
    """What a server saw of a version since it came to its place."""

    answers: int = 0
    errors: int = 0
    seconds: float = 0.0
    p99_seconds: float = 0.0
    compared: int = 0
    disagreement: float = 0.0


@dataclass(frozen=True)
class Step:
    """Where the version goes; ``reason`` says why it was rejected."""

    place: Place | Literal["rejected"]
    reason: str = ""


def first_place(rollout: Rollout, has_live: bool) -> Place:
    """Where a new version begins. Where nothing answers yet, there is nothing to compare with: it goes live."""
    if not has_live:
        return "live"
    return "shadow" if rollout.shadow else "canary" if rollout.canary else "live"


def next_step(rollout: Rollout, place: Place, observed: Observed) -> Step:
    """The next place of a version that is in ``place``. What is live stays: there is nothing to go back to.

    A stage lasts at least until its bounds can be looked at, however few answers it asks for itself.
    """
    if place == "live":
        return Step("live")
    crossed = crossed_bound(rollout.bounds, observed)
    if crossed:
        return Step("rejected", crossed)
    stage = rollout.shadow if place == "shadow" else rollout.canary
    if stage and not _is_over(stage, rollout.bounds, observed):
        return Step(place)
    return Step("canary" if place == "shadow" and rollout.canary else "live")


def _is_over(stage: Stage, bounds: Bounds, observed: Observed) -> bool:
    enough = observed.answers >= max(stage.answers, bounds.answers)
    return enough and observed.seconds >= stage.duration.total_seconds()


def crossed_bound(bounds: Bounds, observed: Observed) -> str:
    """The bound that was crossed, in words; empty where none was. What is no number has crossed its bound."""
    runs = observed.answers + observed.errors
    # Errors count before there are enough answers: once there are too many, no further answer makes them fewer.
    if observed.errors > bounds.error_rate * max(runs, bounds.answers):
        return f"{observed.errors} of {runs} runs broke, more than {bounds.error_rate:.2%} of {bounds.answers} or more"
    if observed.answers >= bounds.answers and not observed.p99_seconds <= bounds.latency.total_seconds():
        most = bounds.latency.total_seconds() * 1000
        return f"the 99th percentile of its latency is {observed.p99_seconds * 1000:.1f} ms, more than {most:g} ms"
    if observed.compared >= bounds.answers and not observed.disagreement <= bounds.disagreement:
        seen = f"{observed.disagreement:.3f}, more than {bounds.disagreement:g}"
        return f"its answers disagree with the champion's by {seen}"
    return ""
