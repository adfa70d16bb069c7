"""What a route gets and gives: a call, an answer, an error, a page; and the table of routes."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.github.bare import Bare
from tests.github.operations import REPOSITORY
from tests.github.world import Pull, Repository, Token, World

DOCUMENTATION = "https://docs.github.com/rest"


class GitHubError(Exception):
    """An answer that says no."""

    def __init__(self, status: int, message: str, errors: Sequence[dict[str, Any] | str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.errors = status, message, errors

    def body(self) -> dict[str, Any]:
        """As GitHub writes it."""
        body = {"message": self.message, "documentation_url": DOCUMENTATION, "status": str(self.status)}
        return body | ({"errors": list(self.errors)} if self.errors else {})


def not_found() -> GitHubError:
    """What isn't there, or may not be seen."""
    return GitHubError(404, "Not Found")


def invalid(resource: str, name: str, code: str = "invalid", message: str = "") -> GitHubError:
    """A validation that failed on one field."""
    error = {"resource": resource, "field": name, "code": code} | ({"message": message} if message else {})
    return GitHubError(422, "Validation Failed", [error])


@dataclass(frozen=True)
class Answer:
    """A status and a body: JSON, bytes of another kind, or none."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json; charset=utf-8"

    def data(self) -> bytes:
        """The body's bytes."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @property
    def is_json(self) -> bool:
        """Whether the description says what is in it."""
        return not isinstance(self.body, bytes)


@dataclass
class Call:
    """A request that a route answers."""

    world: World
    method: str
    operation: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    token: Token | None = None
    found: Repository | None = None

    @property
    def repository(self) -> Repository:
        """The repository in the path, which the token may use."""
        assert self.found is not None, f"{self.path} names no repository"
        return self.found

    @property
    def bare(self) -> Bare:
        """Its git."""
        return self.repository.bare

    @property
    def by(self) -> Token:
        """Who calls; only where somebody has to be logged in."""
        assert self.token is not None, f"{self.path} may be called by nobody"
        return self.token

    @property
    def json(self) -> dict[str, Any]:
        """The body; the description has been held against it already."""
        return json.loads(self.body) if self.body else {}

    @property
    def accept(self) -> str:
        """What the client wants."""
        return self.headers.get("accept", "")

    def number(self, name: str) -> int:
        """A number of the path; what is none is not found."""
        if not self.params[name].isdigit():
            raise not_found()
        return int(self.params[name])

    def pull(self, name: str = "pull_number") -> Pull:
        """The pull request in the path."""
        pull = self.repository.pulls.get(self.number(name))
        if pull is None:
            raise not_found()
        return pull

    def commit(self, name: str = "ref") -> str:
        """The sha of the commit that the path means."""
        sha = self.bare.resolve(self.params[name].removeprefix("heads/"))
        if sha is None:
            raise GitHubError(422, f"No commit found for SHA: {self.params[name]}")
        return sha

    def page(self, items: Sequence[Any], render: Callable[[Any], Any], under: str = "") -> Answer:
        """One page, with the links to the others; ``under``: as an object with a count, under this key."""
        size = min(max(int(self.query.get("per_page", 30)), 1), 100)
        page, last = int(self.query.get("page", 1)), max(-(-len(items) // size), 1)
        rendered = [render(item) for item in items[(page - 1) * size : page * size]]
        body = {"total_count": len(items), under: rendered} if under else rendered
        links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        shown = [self._link(name, to) for name, to in links.items() if 1 <= to <= last and to != page]
        return Answer(200, body, {"Link": ", ".join(shown)} if shown else {})

    def _link(self, name: str, page: int) -> str:
        return f'<{self.world.url}{self.path}?{urlencode(self.query | {"page": page})}>; rel="{name}"'


@dataclass(frozen=True)
class Route:
    """One operation. ``needs``: permissions of an App, any of which will do. ``people``: a user's level.

    ``always``: reading needs the permission in public repositories too."""

    method: str
    path: str
    answer: Callable[[Call], Answer]
    needs: tuple[str, ...]
    people: str
    always: bool


ROUTES: dict[tuple[str, str], Route] = {}


def operation(
    name: str, *needs: str, people: str = "", always: bool = False
) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    """Registers a route by its line in ``operations.OPERATIONS``."""
    method, path = name.replace("REPO", REPOSITORY).split()

    def register(answer: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        level = people or ("read" if method == "GET" else "write")
        ROUTES[method, path] = Route(method, path, answer, needs, level, always)
        return answer

    return register


def node_id(kind: str, id: int) -> str:
    """Something opaque."""
    return base64.b64encode(f"{kind}:{id}".encode()).decode()
