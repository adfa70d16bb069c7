"""Five-field cron expressions as crontab(5) has them, in UTC: minute, hour, day of month, month, weekday.

Where both days are restricted either is enough. Names of months and weekdays, lists, ranges and steps are known; ``L``,
``#`` and ``@daily`` are not.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_LONGEST = 366 * 8 + 2
"""Days within which every expression fires that ever does: 29 February may be eight years away."""


@dataclass(frozen=True)
class Cron:
    """When it fires; ``open_days``: whether day of month and weekday are ``*``."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    open_days: tuple[bool, bool]

    @classmethod
    def parse(cls, text: str) -> "Cron":
        """Raises ``ValueError``, in words: it is no such expression, or would never fire."""
        fields = text.split()
        if len(fields) != 5:
            raise ValueError(f"'{text}' has {len(fields)} fields: minute, hour, day, month and weekday are expected")
        minute, hour, day, month, weekday = fields
        cron = cls(
            _numbers(minute, 0, 59),
            _numbers(hour, 0, 23),
            _numbers(day, 1, 31),
            _numbers(month, 1, 12, _MONTHS, 1),
            frozenset(number % 7 for number in _numbers(weekday, 0, 7, _DAYS, 0)),
            (day == "*", weekday == "*"),
        )
        if cron.last(datetime(2032, 12, 31, 23, 59, tzinfo=UTC)) is None:
            raise ValueError(f"'{text}' never fires: no month has such a day")
        return cron

    def last(self, until: datetime) -> datetime | None:
        """The newest minute in UTC, not after ``until``, at which it fired."""
        moment = until.astimezone(UTC).replace(second=0, microsecond=0)
        for past in range(_LONGEST):
            day = moment.date() - timedelta(days=past)
            if day.month in self.months and self._is_day(day.day, day.isoweekday() % 7):
                limit = (moment.hour, moment.minute) if past == 0 else (23, 59)
                found = max(((h, m) for h in self.hours for m in self.minutes if (h, m) <= limit), default=None)
                if found:
                    return datetime(day.year, day.month, day.day, *found, tzinfo=UTC)
        return None

    def fired(self, after: datetime, until: datetime) -> bool:
        """Whether it fired later than ``after`` and not after ``until``."""
        last = self.last(until)
        return last is not None and last > after

    def _is_day(self, day: int, weekday: int) -> bool:
        found = day in self.days, weekday in self.weekdays
        return all(found) if any(self.open_days) else any(found)


def _numbers(field: str, low: int, high: int, names: list[str] | None = None, first: int = 0) -> frozenset[int]:
    return frozenset(number for part in field.split(",") for number in _part(part, low, high, names or [], first))


def _part(part: str, low: int, high: int, names: list[str], first: int) -> range:
    """``*``, ``a``, ``a-b``, and each with ``/step``; ``a/step`` goes to the end."""
    span, _, step = part.partition("/")
    begin, _, end = span.partition("-")
    try:
        width = int(step) if "/" in part else 1
        start = low if span == "*" else _number(begin, names, first)
        open_end = span == "*" or ("/" in part and "-" not in span)
        stop = high if open_end else _number(end, names, first) if "-" in span else start
    except ValueError:
        raise ValueError(f"'{part}' is no part of a cron expression: such as *, 5, 1-5, */10 or mon") from None
    if width < 1 or not low <= start <= stop <= high:
        raise ValueError(f"'{part}' is not within {low} and {high}, or goes backwards")
    return range(start, stop + 1, width)


def _number(text: str, names: list[str], first: int) -> int:
    return names.index(text.lower()) + first if text.lower() in names else int(text)
