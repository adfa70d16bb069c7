"""What happens to a new champion on a server: it stays where it is, advances, or is rejected. Pure."""

from dataclasses import dataclass
from typing import Literal

from .serving import Bounds, Rollout

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
    """The next place of a version that is in ``place``."""
    crossed = crossed_bound(rollout.bounds, observed)
    if crossed:
        return Step("rejected", crossed)
    stage = rollout.shadow if place == "shadow" else rollout.canary if place == "canary" else None
    if stage is None:
        return Step("live")
    if observed.answers < stage.answers or observed.seconds < stage.duration.total_seconds():
        return Step(place)
    return Step("canary" if place == "shadow" and rollout.canary else "live")


def crossed_bound(bounds: Bounds, observed: Observed) -> str:
    """The bound that was crossed, in words; empty where none was."""
    runs = observed.answers + observed.errors
    if runs >= bounds.answers and observed.errors / runs > bounds.error_rate:
        return f"{observed.errors} of {runs} runs broke, more than {bounds.error_rate:.2%}"
    if observed.answers >= bounds.answers and observed.p99_seconds > bounds.latency.total_seconds():
        most = bounds.latency.total_seconds() * 1000
        return f"the 99th percentile of its latency is {observed.p99_seconds * 1000:.1f} ms, more than {most:g} ms"
    if observed.compared >= bounds.answers and observed.disagreement > bounds.disagreement:
        seen = f"{observed.disagreement:.3f}, more than {bounds.disagreement:g}"
        return f"its answers disagree with the champion's by {seen}"
    return ""
