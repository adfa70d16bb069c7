"""GitHub's refusals in our words. The token is in none of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from dagster_project.domain.errors import ActsError, MachineryError, RefusedError, UsageError

#: Words by which GitHub tells a rule of the repository from a request that makes no sense.
RULES = ("rule violation", "protected branch", "protected ref", "required status check", "review is required")
LONGEST = 400


class MovedError(RefusedError):
    """A branch isn't where it was: what was judged is not its head any more."""


@contextmanager
def translated(what: str, token: str) -> Iterator[None]:
    """Turns what github3.py and ``requests`` raise inside into our errors; ``what`` was asked for.

    Raises:
        UsageError: the token or the name is wrong, or the token may not.
        RefusedError: a rule of the repository says no.
        MachineryError: GitHub broke, was out of reach, or answered what nobody understands.
    """
    from github3.exceptions import GitHubException, TransportError
    from requests.exceptions import RequestException

    try:
        yield
    except ActsError:
        raise
    except (TransportError, RequestException) as error:
        # Not even as its cause: it may hold a signed address.
        raise MachineryError(f"{what}: GitHub was out of reach ({type(error).__name__}). Run this again.") from None
    except GitHubException as error:
        raise _refusal(what, error, token) from None
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise MachineryError(_unclear(what, error, token)) from error


def message_of(error: Any) -> str:
    """What GitHub said, its list of errors included, on one line."""
    said = [str(getattr(error, "msg", "") or error)]
    said += [str(item.get("message") or item.get("code") or item) if isinstance(item, dict) else str(item)
             for item in getattr(error, "errors", None) or ()]  # fmt: skip
    return " ".join(" ".join(said).split())[:LONGEST]


def is_rule(error: Any) -> bool:
    """Whether a rule of the repository said no."""
    return any(words in message_of(error).lower() for words in RULES)


def _refusal(what: str, error: Any, token: str) -> ActsError:
    code, said = getattr(error, "code", None), message_of(error).replace(token, "***")
    if code == 401:
        return UsageError(
            "GitHub doesn't know the token: it is wrong, expired or revoked. Give a new one in GITHUB_TOKEN; "
            "an App's token holds for an hour."
        )
    if code in (403, 405, 409, 422) and is_rule(error):
        return RefusedError(f"{what}: a rule of the repository says no: {said}")
    if code == 403:
        return UsageError(f"{what}: the token may not ({said}).{_needed(error)}")
    if code == 404:
        return UsageError(f"{what}: not there, or the token may not see it. Check the name and the token's rights.")
    if code is None:
        return MachineryError(_unclear(what, error, token))
    return MachineryError(f"{what}: GitHub answered {code}: {said}")


def _needed(error: Any) -> str:
    """GitHub names the rights that a request needs in a header."""
    rights = error.response.headers.get("X-Accepted-GitHub-Permissions", "")
    plain = re.sub(r"[^a-z_=,; ]", "", rights)[:LONGEST].replace("=", ": ")
    return f" It needs {plain}." if plain else " Give the job or the App the right that this needs."


def _unclear(what: str, error: Exception, token: str) -> str:
    said = message_of(error).replace(token, "***")
    return f"{what}: GitHub's answer isn't what its description says ({type(error).__name__}: {said})."
