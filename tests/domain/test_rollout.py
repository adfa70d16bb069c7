"""What happens to a new champion: the order of its places, and what ends its way."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.domain.rollout import Observed, Step, crossed_bound, first_place, next_step
from dagster_project.domain.serving import Bounds, Rollout, Stage

STAGE = Stage(share=0.1, answers=200, duration=timedelta(seconds=30))
BOTH = Rollout(shadow=STAGE, canary=STAGE)
GOOD = Observed(answers=200, seconds=30.0, p99_seconds=0.25, compared=200, disagreement=0.25)


@pytest.mark.parametrize(
    ("rollout", "first"),
    [(BOTH, "shadow"), (Rollout(shadow=STAGE), "shadow"), (Rollout(canary=STAGE), "canary"), (Rollout(), "live")],
)
def test_a_version_begins_at_the_first_stage_unless_nothing_answers_yet(rollout: Rollout, first: str) -> None:
    assert first_place(rollout, has_live=True) == first
    assert first_place(rollout, has_live=False) == "live"


def test_what_holds_its_bounds_goes_from_shadow_to_canary_to_live() -> None:
    assert next_step(BOTH, "shadow", GOOD) == Step("canary")
    assert next_step(BOTH, "canary", GOOD) == Step("live")
    assert next_step(Rollout(shadow=STAGE), "shadow", GOOD) == Step("live")


def test_a_stage_lasts_until_its_answers_and_its_time_are_over() -> None:
    assert next_step(BOTH, "canary", Observed(answers=199, seconds=60.0)) == Step("canary")
    assert next_step(BOTH, "canary", Observed(answers=900, seconds=29.9)) == Step("canary")


def test_a_short_stage_does_not_end_before_its_bounds_are_looked_at() -> None:
    rollout = Rollout(canary=Stage(share=0.5, answers=5), bounds=Bounds(answers=100))
    slow = {"p99_seconds": 9.0, "seconds": 1.0}
    assert next_step(rollout, "canary", Observed(answers=99, **slow)) == Step("canary")
    assert next_step(rollout, "canary", Observed(answers=100, **slow)).place == "rejected"


def test_a_stage_that_the_spec_dropped_meanwhile_is_left_and_the_next_is_not_skipped() -> None:
    assert next_step(Rollout(canary=STAGE), "shadow", Observed()) == Step("canary")
    assert next_step(Rollout(), "shadow", Observed()) == Step("live")
    assert next_step(Rollout(shadow=STAGE), "canary", Observed()) == Step("live")


def test_what_is_live_stays() -> None:
    assert next_step(BOTH, "live", Observed(answers=1000, errors=1000, p99_seconds=9.0)) == Step("live")


@pytest.mark.parametrize(
    ("observed", "words"),
    [
        (Observed(answers=300, errors=5), "5 of 305 runs broke, more than 1.00%"),
        (Observed(errors=2), "2 of 2 runs broke"),
        (Observed(answers=100, p99_seconds=0.2501), "250.1 ms, more than 250 ms"),
        (Observed(answers=100, p99_seconds=float("nan")), "nan ms"),
        (Observed(compared=100, disagreement=0.2501), "disagree with the champion's by 0.250"),
        (Observed(compared=100, disagreement=float("nan")), "by nan"),
    ],
    ids=["errors", "errors before there are answers", "latency", "no latency", "disagreement", "no disagreement"],
)
def test_a_crossed_bound_rejects_and_says_which(observed: Observed, words: str) -> None:
    for place in ("shadow", "canary"):
        step = next_step(BOTH, place, observed)
        assert step.place == "rejected" and words in step.reason


@pytest.mark.parametrize(
    "observed",
    [
        Observed(answers=99, errors=1, p99_seconds=0.25),
        Observed(answers=300, errors=3),
        Observed(answers=99, p99_seconds=9.0),
        Observed(compared=99, disagreement=1.0),
    ],
    ids=["one error of a hundred", "exactly one in a hundred", "few answers", "few comparisons"],
)
def test_what_proves_nothing_crosses_nothing(observed: Observed) -> None:
    assert crossed_bound(Bounds(), observed) == ""


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_errors_are_rejected_early_only_where_waiting_would_not_help(answers: int, errors: int, more: int) -> None:
    """If good answers alone can still bring the rate below its bound before it is looked at, it is not crossed."""
    bounds = Bounds(answers=100, error_rate=0.1)
    crossed = bool(crossed_bound(bounds, Observed(answers=answers, errors=errors)))
    at_the_look = max(answers + errors, bounds.answers)
    assert crossed == (errors / at_the_look > 0.1 + 1e-12 or errors > 0.1 * at_the_look)
    if crossed:
        assert crossed_bound(bounds, Observed(answers=answers, errors=errors + more))
