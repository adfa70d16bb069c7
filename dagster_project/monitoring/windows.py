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
