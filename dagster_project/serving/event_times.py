"""When the event is that a row is about: the contract's event time, as a client sends it beside the model's inputs.

Text of ISO 8601, as contracts' own timestamps: where it names no zone it is UTC, a date alone is its midnight.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from dagster_project.storage.log_frames import NO_TIME

from .problems import Problems, Wrong, shown
from .tensors import Values

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def event_times(values: dict[str, Values], column: str | None, problems: Problems) -> list[int] | None:
    """Takes the column out of ``values``: microseconds since 1970 of each row, None where it was not sent."""
    texts = values.pop(column, None) if column else None
    if column is None or texts is None:
        return None
    times = []
    for row, text in enumerate(texts):
        try:
            times.append(microseconds(text))
        except Wrong as wrong:
            problems.add(column, f"row {row} {wrong}")
            return None
    return times


def microseconds(text: Any) -> int:
    """Since 1970; NO_TIME for None and the empty text, which are missing.

    Raises:
        Wrong: nobody can read it as a time, or it is beyond the years 1 to 9999.
    """
    if not text:
        return NO_TIME
    return (instant(text) - _BEGIN) // _MICROSECOND


def instant(text: str) -> datetime:
    """An ISO 8601 text as a time in UTC.

    Raises:
        Wrong: nobody can read it as a time, or it is beyond the years 1 to 9999.
    """
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong(f"is {shown(text)}; send a time as 2026-03-31T23:59:59Z") from None
