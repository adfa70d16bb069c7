"""GitHub's refusals in our words; the token in none of them."""

import logging
import traceback
from collections.abc import Iterator

import pytest

from ci.forge.failures import translated
from ci.forge.github import GitHub
from ci.forge.values import CheckReport
from dagster_project.domain.errors import ActsError, MachineryError, RefusedError, UsageError
from tests.ci.forge.clock import Clock
from tests.ci.forge.script import TOKEN, Script, script


@pytest.fixture
def server() -> Iterator[Script]:
    with script() as running:
        yield running


def connect(server: Script, repository: str = "o/r", token: str = TOKEN) -> GitHub:
    return GitHub.connect(repository, token, server.url, Clock().patience())


def refused(server: Script, *steps: object) -> ActsError:
    """What reading a pull request raises; whatever happens, nobody learns the token."""
    server.steps = list(steps)
    with pytest.raises(ActsError) as caught:
        connect(server).pull(1)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_a_wrong_token_is_named_as_such(server: Script) -> None:
    error = refused(server, (401, {}, {"message": "Bad credentials"}))
    assert isinstance(error, UsageError) and "GITHUB_TOKEN" in str(error)


def test_a_repository_that_is_not_there_is_named(server: Script) -> None:
    error = refused(server, (404, {}, {"message": "Not Found"}))
    assert isinstance(error, UsageError)
    assert "the repository o/r: not there, or the token may not see it" in str(error)


def test_a_missing_right_is_named_with_what_is_needed(server: Script) -> None:
    headers = {"X-Accepted-GitHub-Permissions": "pull_requests=read; \x1b[31mpull_requests=write"}
    error = refused(server, (403, headers, {"message": "Resource not accessible by integration"}))
    assert isinstance(error, UsageError)
    assert "Resource not accessible by integration" in str(error) and "pull_requests: read" in str(error)
    assert "\x1b" not in str(error)


@pytest.mark.parametrize("status", [403, 405, 409, 422])
def test_a_rule_of_the_repository_is_a_refusal(server: Script, status: int) -> None:
    error = refused(server, (status, {}, {"message": "Repository rule violations found\n\nCode owners."}))
    assert isinstance(error, RefusedError) and "Repository rule violations found Code owners." in str(error)


def test_other_validation_errors_are_the_machinery_s_and_tell_their_details(server: Script) -> None:
    body = {"message": "Validation Failed", "errors": [{"code": "custom", "message": "No commits between a and b"}]}
    error = refused(server, (422, {}, body))
    assert isinstance(error, MachineryError) and "No commits between a and b" in str(error)


@pytest.mark.parametrize("body", [{}, [1], {"url": 3}, b"<html>", b"", {"full_name": "o/r"}])
def test_an_answer_that_nobody_understands_is_the_machinery_s(server: Script, body: object) -> None:
    assert isinstance(refused(server, (200, {}, body)), MachineryError)


def test_a_server_that_repeats_the_token_is_not_repeated(server: Script) -> None:
    error = refused(server, (422, {}, {"message": f"no such thing: token {TOKEN}", "errors": [TOKEN]}))
    assert "token ***" in str(error)


def test_nobody_there(server: Script) -> None:
    url = server.url
    server.server_close()
    with pytest.raises(MachineryError, match=r"did not answer GET http://127.0.0.1:\d+/repos/o/r \(ConnectionError\)"):
        GitHub.connect("o/r", TOKEN, url, Clock().patience()).pull(1)


@pytest.mark.parametrize("token", ["", "  \n", "two words", "ghp_abc\ndef", "ghp_ü", "x\x00"])
def test_what_is_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_TOKEN") as caught:
        GitHub.connect("o/r", token)
    assert not token.strip() or token not in str(caught.value)


def test_a_newline_at_a_token_s_end_does_no_harm(server: Script) -> None:
    server.steps = [(401, {}, {})]
    with pytest.raises(UsageError, match="doesn't know the token"):
        connect(server, token=f"{TOKEN}\n").pull(1)


@pytest.mark.parametrize("repository", ["", "o", "o/r/x", "https://github.com/o/r", "o/r?x", "../r", "o/..", "o/r\n"])
def test_what_is_no_repository_is_refused(repository: str) -> None:
    with pytest.raises(UsageError, match="owner/name"):
        GitHub.connect(repository, TOKEN)


@pytest.mark.parametrize(
    "url", ["", "api.github.com", "http://api.github.com", "ftp://127.0.0.1", "http://127.0.0.1.x"]
)
def test_a_token_is_not_sent_in_the_clear(url: str) -> None:
    with pytest.raises(UsageError, match="https://"):
        GitHub.connect("o/r", TOKEN, url)


def test_no_log_has_the_token(server: Script, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        refused(server, 502, (403, {}, {"message": "secondary rate limit"}), (401, {}, {}))
    assert caplog.records and TOKEN not in caplog.text


def test_our_own_errors_pass() -> None:
    with pytest.raises(RefusedError, match="mine"), translated("x", TOKEN):
        raise RefusedError("mine")


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "completed"},
        {"status": "queued", "conclusion": "success"},
        {"conclusion": "success", "summary": "x" * 65_536},
        {"conclusion": "success", "title": ""},
    ],
)
def test_a_check_that_github_would_not_take_is_refused_before(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="CheckReport"):
        CheckReport.model_validate({"name": "n", "head": "h", "title": "t", "summary": "s"} | wrong)
