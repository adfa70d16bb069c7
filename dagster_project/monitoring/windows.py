"""Windows of days that never move: a look on another day sees the same ones."""

from datetime import date, timedelta

EPOCH = date(1970, 1, 5)
"""A Monday, so that windows of weeks begin on one."""


def length_of(window: timedelta) -> int:
    """Its days; less than one counts as one."""
    return max(1, window // timedelta(days=1))


def begin_of(day: date, window: timedelta) -> date:
    """The first day of the window that ``day`` is in."""
    return day - timedelta(days=(day - EPOCH).days % length_of(window))


def newest_before(day: date, window: timedelta) -> tuple[date, date]:
    """The newest whole window that ended before ``day``: its first day, and the first day behind it."""
    end = begin_of(day, window)
    return end - timedelta(days=length_of(window)), end
