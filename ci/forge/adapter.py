"""Patience below github3.py: every request of the session passes here. Imported when a connection is opened."""

from collections.abc import Mapping
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ConnectionError, ContentDecodingError, Timeout

from dagster_project.domain.errors import MachineryError

from .patience import SAFE, Patience, UnsettledError, limit

LOST = (ConnectionError, Timeout, ChunkedEncodingError, ContentDecodingError)


class PatientAdapter:
    """A transport adapter for ``requests`` that tries again.

    Where a limit was met the request was not done, so that any may be sent again. Where the answer got lost or GitHub
    broke (5xx) it may have been done: only what is safe twice is sent again; for the rest ``UnsettledError`` makes the
    operation look first.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._inner = HTTPAdapter()

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """The answer, after as many tries as it takes.

        Raises:
            UnsettledError: a request that isn't safe twice got lost: it may have been done.
            MachineryError: a safe one got lost again and again, or GitHub asks to wait for too long.
        """
        for attempt in range(self._patience.tries):
            answer = self._once(request, options)
            pause = None if isinstance(answer, str) else self._limit(answer, attempt)
            if pause is not None:
                answer = "too many requests"
                self._patience.wait(pause)
            elif not isinstance(answer, str):
                return answer
            elif request.method not in SAFE:
                raise UnsettledError(_words(request, answer))
            else:
                self._patience.rest(attempt)
        raise MachineryError(_words(request, str(answer)))

    def _once(self, request: PreparedRequest, options: Mapping[str, Any]) -> Response | str:
        """The answer, or in words why there is none. The body is read here, since it may break off too."""
        try:
            answer = self._inner.send(request, **options)
            if not options.get("stream") or answer.status_code >= 400:
                _ = answer.content
        except LOST as error:
            return type(error).__name__
        return f"{answer.status_code} {answer.reason}" if answer.status_code >= 500 else answer

    def _limit(self, answer: Response, attempt: int) -> float | None:
        text = answer.text if answer.status_code in (403, 429) else ""
        return limit(answer.status_code, answer.headers, text, self._patience.clock(), attempt)


def _words(request: PreparedRequest, why: str) -> str:
    """Without the query: a signed address is a secret for as long as it holds."""
    path = str(request.url).partition("?")[0]
    return f"GitHub did not answer {request.method} {path} ({why}). See githubstatus.com, then run this again."
