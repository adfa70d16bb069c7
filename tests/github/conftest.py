"""A double with one repository, acme/models, and clients of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.github.double import Double, github_double

MODELS = "acme/models"
GATE = {
    "actions": "read",
    "administration": "write",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "pull_requests": "write",
    "statuses": "write",
}


class Client:
    """Plain requests as somebody; paths below /repos/acme/models unless they begin with a slash."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """The response."""
        place = path if path.startswith("/") else f"/repos/{MODELS}/{path}" if path else f"/repos/{MODELS}"
        return self.session.request(method, self.url + place, timeout=more.pop("timeout", 10), **more)

    def get(self, path: str, /, **query: Any) -> Any:
        """JSON of an answer that is 200."""
        return self._ok(self.call("GET", path, params=query), 200)

    def post(self, path: str, status: int = 201, /, **body: Any) -> Any:
        """JSON of an answer that has this status."""
        return self._ok(self.call("POST", path, json=body), status)

    def patch(self, path: str, status: int = 200, /, **body: Any) -> Any:
        """The same."""
        return self._ok(self.call("PATCH", path, json=body), status)

    def put(self, path: str, status: int = 200, /, **body: Any) -> Any:
        """The same."""
        return self._ok(self.call("PUT", path, json=body), status)

    def delete(self, path: str, status: int = 204) -> Any:
        """The same."""
        return self._ok(self.call("DELETE", path), status)

    @staticmethod
    def _ok(response: requests.Response, status: int) -> Any:
        assert response.status_code == status, f"{response.status_code}: {response.text[:2000]}"
        return response.json() if response.content else None


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    """With one repository of two files."""
    with github_double(tmp_path / "github") as double:
        double.create_repository(MODELS, files={"a.txt": "one\n", "b/c.txt": "two\n"})
        yield double


@pytest.fixture
def client(double: Double) -> Iterator[Callable[[str | None], Client]]:
    """Makes clients, and closes them."""
    made: list[Client] = []

    def make(token: str | None) -> Client:
        made.append(Client(double.url, token))
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.fixture
def gate(double: Double, client: Callable[[str | None], Client]) -> Client:
    """The App `gate` with all that it needs."""
    double.app("gate", GATE)
    return client(double.installation_token("gate", MODELS))


@pytest.fixture
def actions(double: Double, client: Callable[[str | None], Client]) -> Client:
    """A workflow's token that may write checks."""
    return client(double.actions_token(MODELS, {"checks": "write", "contents": "write", "pull_requests": "write"}))


@pytest.fixture
def admin(double: Double, client: Callable[[str | None], Client]) -> Client:
    """The repository's admin, octocat."""
    return client(double.user("octocat"))
