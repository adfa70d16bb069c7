"""A clock that stands still until somebody sleeps."""

from ci.forge.patience import Patience


class Clock:
    """Seconds since 1970, and every sleep that was asked for."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now, self.sleeps = now, list[float]()

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def patience(self, **changes: float) -> Patience:
        """Patience that takes no time, and whose jitter is none."""
        return Patience(clock=self.time, sleep=self.sleep, draw=lambda: 0.5, **changes)  # type: ignore[arg-type]
