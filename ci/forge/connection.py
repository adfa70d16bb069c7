"""A session with one repository of GitHub."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from dagster_project.domain.errors import MachineryError, UsageError

from .failures import translated
from .patience import Patience

TIMEOUTS = {"default_connect_timeout": 10, "default_read_timeout": 30}
VERSION = "2022-11-28"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}$)[A-Za-z0-9_.-]+")
_TOKEN = re.compile(r"[\x21-\x7e]+")
Json = dict[str, Any]


class Connection:
    """github3.py's session and repository, and a way to what github3.py lacks."""

    def __init__(self, repository: str, token: str, api_url: str, patience: Patience) -> None:
        self.patience = patience
        self._asked_for = _valid(repository, token, api_url)
        self.token = token.strip()
        self._api_url = api_url.rstrip("/")

    @property
    def name(self) -> str:
        """``owner/name`` as GitHub spells it."""
        return str(self.repository.full_name)

    @cached_property
    def session(self) -> Any:
        """github3.py's session, with our patience below it."""
        from github3.session import GitHubSession

        from .adapter import PatientAdapter

        session = GitHubSession(**TIMEOUTS)
        session.base_url = self._api_url
        session.headers["X-GitHub-Api-Version"] = VERSION
        # GitHub alone knows when the token expires, and says so by 401. Check runs of github3.py want this kind.
        session.app_installation_token_auth({"token": self.token, "expires_at": "9999-01-01T00:00:00Z"})
        for scheme in ("https://", "http://"):
            session.mount(scheme, PatientAdapter(self.patience))
        return session

    @cached_property
    def repository(self) -> Any:
        """github3.py's ``Repository``.

        Raises:
            UsageError: the token or the name is wrong.
        """
        from github3 import GitHub

        with translated(f"the repository {self._asked_for}", self.token):
            found = GitHub(session=self.session).repository(*self._asked_for.split("/"))
            if found is None:
                raise TypeError("an empty answer")
            return found

    @cached_property
    def identity(self) -> str:
        """The login by which we write: ``SLUG[bot]`` for an App. REST tells it to people only, GraphQL to all."""
        answer = self.send("POST", self._graphql, {"query": "query { viewer { login } }"})
        login = ((answer.get("data") or {}).get("viewer") or {}).get("login")
        if not isinstance(login, str):
            raise MachineryError("GitHub doesn't say whose token this is. Check that the token still holds.")
        return login

    def url(self, *parts: str | int) -> str:
        """An address below the repository's; slashes in a part are quoted too."""
        return "/".join([str(self.repository.url), *(quote(str(part), safe="") for part in parts)])

    def get(self, *parts: str | int, **parameters: str) -> Any:
        """JSON from below the repository; raises github3.py's exceptions."""
        return _json(self.session.get(self.url(*parts), params=parameters))

    def send(self, method: str, url: str, body: Json | None = None) -> Any:
        """Write; the JSON that came back, None where none did. Raises github3.py's exceptions."""
        return _json(self.session.request(method, url, json=body))

    def pages(self, *parts: str | int, key: str | None = None, **parameters: str) -> Iterator[Json]:
        """Every object of a list, page by page; ``key``: where the list is inside an object."""
        from github3.models import GitHubCore
        from github3.structs import GitHubIterator

        found = GitHubIterator(-1, self.url(*parts), GitHubCore, self.repository, parameters, list_key=key)
        return (item.as_dict() for item in found)

    @property
    def _graphql(self) -> str:
        """Beside the API; on GitHub Enterprise Server REST is at /api/v3 and GraphQL at /api/graphql."""
        return f"{self._api_url.removesuffix('/v3')}/graphql"


def _json(answer: Any) -> Any:
    from github3.exceptions import UnexpectedResponse, error_for

    if answer.status_code >= 400:
        raise error_for(answer)
    try:
        return answer.json() if answer.content else None
    except ValueError:
        raise UnexpectedResponse(answer) from None


def _valid(repository: str, token: str, api_url: str) -> str:
    """The repository; a token that is none must not reach ``requests``, whose complaint would show it."""
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(f"'{repository}' is no repository. Give it as owner/name, as in GITHUB_REPOSITORY.")
    if not _TOKEN.fullmatch(token.strip()):
        raise UsageError("there is no token, or it has blanks in it. Give one in GITHUB_TOKEN.")
    parts = urlsplit(api_url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname in LOOPBACK) != ("http", True):
        raise UsageError(f"'{api_url}' is no address of GitHub's API: it begins with https://. See GITHUB_API_URL.")
    return repository
