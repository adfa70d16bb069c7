"""How long to wait for GitHub, and when not to. Pure, but for the clock that it is given.

Sources: GitHub's pages "Rate limits for the REST API" (what to do when a limit is hit) and "Best practices".
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from dagster_project.domain.errors import MachineryError

T = TypeVar("T")
#: What may be sent again though nobody knows whether it was done: twice is the same as once.
SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
#: Words of GitHub's answer when too much was asked at once, which comes without a time to wait for.
SECONDARY = ("secondary rate limit", "abuse detection")
MINUTE = 60.0


class UnsettledError(MachineryError):
    """Nobody knows whether a request was done. Look first, then do what is missing."""


@dataclass(frozen=True)
class Patience:
    """How often and how long to try. ``longest`` is the longest single wait for a limit, in seconds."""

    tries: int = 6
    longest: float = 300.0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = field(default=random.random)

    def rest(self, attempt: int) -> None:
        """Sleep after the failed try number ``attempt`` (from 0): 1, 2, 4 ... seconds, each give or take half."""
        self.sleep(min(30.0, 2.0**attempt) * (0.5 + self.draw()))

    def wait(self, seconds: float) -> None:
        """Sleep until GitHub takes requests again.

        Raises:
            MachineryError: that is too long; it says when to try again.
        """
        if seconds > self.longest:
            at = time.strftime("%H:%M:%S UTC", time.gmtime(self.clock() + seconds))
            raise MachineryError(f"GitHub takes no more requests from this token for now. Run this again after {at}.")
        self.sleep(seconds)

    def settle(self, operation: Callable[[], T]) -> T:
        """Run an operation that looks before it writes, again and again until no request of it got lost.

        Raises:
            UnsettledError: requests kept getting lost.
        """
        for attempt in range(self.tries - 1):
            try:
                return operation()
            except UnsettledError:
                self.rest(attempt)
        return operation()


def limit(status: int, headers: Mapping[str, str], text: str, now: float, attempt: int) -> float | None:
    """Seconds until GitHub answers again; None: the answer speaks of no limit.

    A request that met a limit was not done. A 403 is as often a missing permission, which no waiting mends.
    """
    if status not in (403, 429):
        return None
    after, reset = _number(headers.get("Retry-After")), _number(headers.get("X-RateLimit-Reset"))
    if after is not None:
        return after
    if headers.get("X-RateLimit-Remaining") == "0" and reset is not None:
        # A second more: its clock and ours differ, and the reset is given in whole seconds.
        return max(0.0, reset - now) + 1.0
    if status == 429 or any(words in text.lower() for words in SECONDARY):
        return MINUTE * 2.0**attempt
    return None


def _number(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdecimal() else None
