"""Patience: what is tried again, what is not, and for how long."""

import re
from collections.abc import Iterator

import pytest

from ci.forge.connection import Connection
from ci.forge.patience import UnsettledError, limit
from dagster_project.domain.errors import MachineryError
from tests.ci.forge.clock import Clock
from tests.ci.forge.script import TOKEN, Script, connected, script

NOW = 1_800_000_000.0
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 40)}
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait."}


@pytest.fixture
def server() -> Iterator[Script]:
    with script() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


def get(connection: Connection) -> int:
    return int(connection.session.get(f"{connection.session.base_url}/x?sig=hidden").status_code)


def post(connection: Connection) -> int:
    return int(connection.session.post(f"{connection.session.base_url}/x?sig=hidden", json={}).status_code)


@pytest.mark.parametrize(
    ("status", "headers", "text", "attempt", "seconds"),
    [
        (403, {"Retry-After": "7"}, "", 0, 7.0),
        (429, {"Retry-After": "7"}, "", 3, 7.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 40)}, "", 0, 41.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) - 9)}, "", 0, 1.0),
        (403, {"X-RateLimit-Remaining": "9"}, "You have exceeded a secondary rate limit", 0, 60.0),
        (403, {}, "You have exceeded a secondary rate limit", 2, 240.0),
        (429, {}, "", 0, 60.0),
        (403, {"X-RateLimit-Remaining": "9"}, "Resource not accessible by integration", 0, None),
        (403, {"Retry-After": "soon"}, "", 0, None),
        (404, {"Retry-After": "7"}, "", 0, None),
        (200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, "", 0, None),
    ],
)
def test_limits_are_waited_for(
    status: int, headers: dict[str, str], text: str, attempt: int, seconds: float | None
) -> None:
    assert limit(status, headers, text, NOW, attempt) == seconds


@pytest.mark.parametrize("fault", [500, 502, 503, 504, "drop", "half"])
def test_a_read_is_tried_again_with_growing_pauses(server: Script, clock: Clock, fault: object) -> None:
    server.steps = [fault, fault, fault]
    assert get(connected(server, clock)) == 200
    assert len(server.seen) == 4 and clock.sleeps == [1.0, 2.0, 4.0]


def test_a_timeout_is_tried_again(server: Script, clock: Clock) -> None:
    server.steps = ["hang"]
    assert get(connected(server, clock, read_timeout=0.2)) == 200
    assert len(server.seen) == 2


def test_a_read_is_given_up_after_all_tries_and_the_message_has_no_secret(server: Script, clock: Clock) -> None:
    server.steps = [502] * 20
    with pytest.raises(MachineryError, match=r"GET .*/x \(502 Bad Gateway\)") as caught:
        get(connected(server, clock))
    assert len(server.seen) == 6 and not isinstance(caught.value, UnsettledError)
    assert "sig" not in str(caught.value) and TOKEN not in str(caught.value)


@pytest.mark.parametrize("fault", [500, 502, "drop", "half"])
def test_a_write_that_may_have_been_done_is_not_sent_again(server: Script, clock: Clock, fault: object) -> None:
    server.steps = [fault]
    with pytest.raises(UnsettledError):
        post(connected(server, clock))
    assert server.seen == ["POST /x?sig=hidden"]


@pytest.mark.parametrize(
    ("answer", "slept"),
    [((403, SPENT, {}), 41.0), ((429, {"Retry-After": "3"}, {}), 3.0), ((403, {}, SECONDARY), 60.0)],
)
def test_a_write_that_met_a_limit_was_not_done_and_is_sent_again(
    server: Script, clock: Clock, answer: object, slept: float
) -> None:
    server.steps = [answer]
    assert post(connected(server, clock)) == 200
    assert clock.sleeps == [slept] and len(server.seen) == 2


def test_a_limit_that_lasts_too_long_says_when_to_try_again(server: Script, clock: Clock) -> None:
    server.steps = [(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 3000)}, {})]
    with pytest.raises(MachineryError, match=re.escape("08:50:01 UTC")):
        get(connected(server, clock))
    assert clock.sleeps == []


def test_a_missing_permission_is_not_waited_for(server: Script, clock: Clock) -> None:
    server.steps = [(403, {}, {"message": "Resource not accessible by integration"})]
    assert post(connected(server, clock)) == 403
    assert clock.sleeps == []


def test_an_operation_is_done_again_until_no_request_is_lost(clock: Clock) -> None:
    tries = iter([UnsettledError("lost"), UnsettledError("lost"), None])

    def operation() -> str:
        if error := next(tries):
            raise error
        return "done"

    assert clock.patience().settle(operation) == "done"
    assert clock.sleeps == [1.0, 2.0]


def test_an_operation_is_given_up_after_all_tries(clock: Clock) -> None:
    seen = []

    def operation() -> None:
        seen.append(1)
        raise UnsettledError("lost")

    with pytest.raises(UnsettledError, match="lost"):
        clock.patience(tries=3).settle(operation)
    assert len(seen) == 3


def test_the_token_does_not_follow_to_another_host(server: Script, clock: Clock) -> None:
    """Artifacts lie on another host, whose address GitHub redirects to."""
    with script() as storage:
        headers: list[str | None] = []
        server.steps = [(302, {"Location": f"{storage.url}/blob"}, {})]
        connection = connected(server, clock)
        answer = connection.session.get(f"{server.url}/zip")
        headers.append(answer.request.headers.get("Authorization"))
        assert storage.seen == ["GET /blob"] and headers == [None]
        assert answer.history[0].request.headers["Authorization"] == f"token {TOKEN}"
