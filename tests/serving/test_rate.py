"""The rate limit: bursts, the long run, callers by themselves, bounded memory."""

import pytest

from dagster_project.domain.errors import UsageError
from dagster_project.serving import rate as module
from dagster_project.serving.rate import RateLimit


def test_a_burst_then_the_rate() -> None:
    limit = RateLimit(per_second=10, burst=3)
    assert [limit.allow("a", 100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limit.allow("a", 100.0) == pytest.approx(0.1)
    assert limit.allow("a", 100.04) == pytest.approx(0.06)
    assert limit.allow("a", 100.1) == 0.0
    assert limit.allow("a", 100.1) == pytest.approx(0.1)


def test_who_waits_as_long_as_told_is_let_in() -> None:
    limit = RateLimit(per_second=3, burst=2)
    now = 1_234_567.89
    for _ in range(1000):
        wait = limit.allow("a", now)
        if wait:
            now += wait
            assert limit.allow("a", now) == 0.0


@pytest.mark.parametrize(("rate", "burst"), [(5.0, 1), (7.3, 4), (0.5, 2)])
def test_the_long_run_is_the_rate_and_idle_time_is_not_saved_up(rate: float, burst: float) -> None:
    limit = RateLimit(rate, burst)
    limit.allow("a", 0.0)
    passed = sum(limit.allow("a", 1000 + step / 100) == 0.0 for step in range(10_000))
    assert passed == pytest.approx(burst + rate * 100, abs=1)


def test_refused_calls_cost_nothing() -> None:
    limit = RateLimit(per_second=1, burst=1)
    limit.allow("a", 0.0)
    assert all(limit.allow("a", 0.5) == pytest.approx(0.5) for _ in range(100))
    assert limit.allow("a", 1.0) == 0.0


def test_callers_do_not_share_a_bucket() -> None:
    limit = RateLimit(per_second=1, burst=1)
    assert limit.allow("a", 0.0) == 0.0
    assert limit.allow("b", 0.0) == 0.0
    assert limit.allow("a", 0.0) > 0


def test_memory_is_bounded_and_who_waits_longest_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CALLERS", 100)
    limit = RateLimit(per_second=1, burst=5)
    for _ in range(5):
        limit.allow("greedy", 0.0)
    for number in range(10_000):
        assert limit.allow(f"caller {number}", 0.001) == 0.0
        assert len(limit) <= 100
    assert limit.allow("greedy", 0.002) > 0.9


def test_whose_bucket_is_full_again_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CALLERS", 100)
    limit = RateLimit(per_second=1, burst=1)
    for number in range(60):
        limit.allow(f"old {number}", 0.0)
    for number in range(41):
        limit.allow(f"new {number}", 5.0)
    assert len(limit) == 41
    assert all(limit.allow(f"new {number}", 5.0) > 0 for number in range(41))


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (float("nan"), 1), (float("inf"), 1), (1, 0.5)])
def test_rates_that_are_none_are_refused(rate: float, burst: float) -> None:
    with pytest.raises(UsageError, match="more than 0 and at least 1"):
        RateLimit(rate, burst)
