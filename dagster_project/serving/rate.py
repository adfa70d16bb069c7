"""How often one caller may call: a token bucket, in the form of the generic cell rate algorithm (ITU-T I.371)."""

from dagster_project.domain.errors import UsageError

MOST_CALLERS = 10_000


class RateLimit:
    """``burst`` calls at once, ``per_second`` of them in the long run, for each caller by itself.

    Kept for a caller is one number: when its bucket will be full again. At most ``MOST_CALLERS`` are remembered; those
    nearest to a full bucket are forgotten first, who lose nothing or little by it. Not for several threads.
    """

    def __init__(self, per_second: float, burst: float) -> None:
        if not (0 < per_second < float("inf") and 1 <= burst < float("inf")):
            raise UsageError(f"{per_second:g} calls a second, {burst:g} at once: it takes more than 0 and at least 1.")
        self._interval = 1.0 / per_second
        self._ahead = (burst - 1) * self._interval
        self._full: dict[str, float] = {}

    def allow(self, caller: str, now: float) -> float:
        """0.0 where the call may go on, else the seconds to wait; a refused call costs nothing.

        ``now`` in seconds, of a clock that never goes back.
        """
        full = self._full.get(caller, now)
        if full < now:
            full = now
        wait = full - now - self._ahead
        if wait > 1e-9:  # rounding must not refuse who waited as told
            return wait
        if len(self._full) >= MOST_CALLERS and caller not in self._full:
            self._forget(now)
        self._full[caller] = full + self._interval
        return 0.0

    def _forget(self, now: float) -> None:
        """Whose bucket is full is as good as unknown; where that frees little, a quarter goes."""
        waiting = sorted((full, caller) for caller, full in self._full.items() if full > now)
        self._full = {caller: full for full, caller in waiting[-(MOST_CALLERS * 3 // 4) :]}

    def __len__(self) -> int:
        return len(self._full)
