"""Cron expressions against the library that Dagster's own schedules use, and what is refused."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dagster_project.domain.cron import Cron
from dagster_project.domain.experiment import Experiment

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def field(low: int, high: int, names: str = "") -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    # To that library a span from a number to itself is the whole circle, and a step of one is not always a star.
    spans = st.tuples(numbers, numbers).filter(lambda p: p[0] < p[1]).map(lambda pair: f"{pair[0]}-{pair[1]}")
    steps = st.tuples(st.one_of(st.just("*"), spans), st.integers(2, 9)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    parts = st.one_of(numbers.map(str), spans, steps, *([st.sampled_from(names.split())] if names else []))
    return st.one_of(st.just("*"), st.lists(parts, min_size=1, max_size=3).map(",".join))


# Where both days are restricted that library takes some full spans for a star: told apart below, by hand.
EXPRESSIONS = (
    st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12, "jan JUN dec"), field(0, 6, "sun WED sat"))
    .filter(lambda fields: "*" in (fields[2], fields[4]))
    .map(" ".join)
)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_it_fires_when_dagsters_schedules_do(text: str, now: datetime) -> None:
    croniter: Any = import_module("dagster._vendored.croniter").croniter
    expected = croniter(text, now.replace(second=0, microsecond=0) + timedelta(minutes=1)).get_prev(datetime)
    assert Cron.parse(text).last(now) == expected


def test_the_minute_itself_counts_and_the_one_it_last_fired_at_does_not() -> None:
    daily = Cron.parse("0 12 * * *")
    assert daily.last(NOON) == NOON and daily.last(NOON - timedelta(seconds=1)) == NOON - timedelta(days=1)
    assert not daily.fired(after=NOON, until=NOON + timedelta(hours=23))
    assert daily.fired(after=NOON, until=NOON + timedelta(hours=24))


def test_either_day_is_enough_and_sunday_has_two_numbers() -> None:
    assert Cron.parse("0 0 13 * fri").last(NOON) == datetime(2026, 2, 27, tzinfo=UTC)
    assert Cron.parse("0 0 * * 7") == Cron.parse("0 0 * * 0")
    assert Cron.parse("0 0 29 2 *").last(datetime(2104, 2, 1, tzinfo=UTC)) == datetime(2096, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["* * * *", "60 * * * *", "5-1 * * * *", "*/0 * * * *", "x * * * *", "0 0 31 2 *", "1- * * * *", "-1 * * * *"],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"'.+' (is|has|never)"):
        Cron.parse(text)


def test_a_spec_with_a_schedule_that_never_fires_is_refused() -> None:
    with pytest.raises(ValidationError, match="never fires: no month has such a day"):
        Experiment(schedule="0 0 30 2 *")
