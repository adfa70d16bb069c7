"""The HTTP side: Starlette's routes, and what happens to a request on its way to one and back."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from tests.github import access, movement
from tests.github.conformance import Answered, Asked, conformance
from tests.github.exchange import DOCUMENTATION, ROUTES, Answer, Call, GitHubError, Route
from tests.github.faults import Faults
from tests.github.operations import OPERATIONS, REPOSITORY
from tests.github.world import World

#: Parts of a path that may hold slashes.
GREEDY = ("path", "ref", "branch", "basehead", "name")


@dataclass(frozen=True)
class Done:
    """A request that was answered, for tests to look at."""

    method: str
    path: str
    status: int
    who: str | None
    body: Any


@dataclass
class Service:
    """What the routes share."""

    world: World
    lock: threading.RLock
    faults: Faults = field(default_factory=Faults)
    violations: list[str] = field(default_factory=list)
    calls: list[Done] = field(default_factory=list)

    def application(self, more: list[StarletteRoute]) -> Starlette:
        """All operations, ``more`` routes of our own, and a refusal for everything else."""
        import tests.github.routes

        assert tests.github.routes.__all__
        known = [line.replace("REPO", REPOSITORY).split() for line in OPERATIONS]
        made = [self._route(ROUTES[method, path]) for method, path in sorted(known, key=_openness)]
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return Starlette(routes=[*more, *made, StarletteRoute("/{anything:path}", self._unknown, methods=every)])

    def _route(self, route: Route) -> StarletteRoute:
        path = route.path
        for name in GREEDY:
            path = path.replace(f"{{{name}}}", f"{{{name}:path}}")

        async def endpoint(request: Request) -> Response:
            return await self._answer(route, request)

        return StarletteRoute(path, endpoint, methods=[route.method])

    async def _answer(self, route: Route, request: Request) -> Response:
        fault = self.faults.take(request.method, request.url.path)
        body = await request.body()
        if fault and fault.hang:
            await asyncio.sleep(fault.hang)
        if fault and fault.status is not None:
            return _response(Answer(fault.status, fault.body, fault.headers))
        if fault and fault.lost and not fault.done:
            return await _cut(request)
        answer = await asyncio.to_thread(self._play, route, _call(self.world, route, request, body))
        return await _cut(request) if fault and fault.lost else _response(answer)

    def _play(self, route: Route, call: Call) -> Answer:
        asked = _asked(call)
        wrong = _not_json(call.body) or conformance().request(asked)
        with self.lock:
            answer = self._refused(call, wrong) if wrong else self._done(route, call)
        answered = Answered(answer.status, answer.data(), "application/json")
        broken = conformance().answer(asked, answered) if answer.is_json and not wrong else []
        self.violations += [f"answer to {call.method} {call.path} ({answer.status}): {line}" for line in broken]
        who = call.token.user.login if call.token else None
        self.calls.append(
            Done(call.method, call.path, answer.status, who, call.json if call.body and not wrong else None)
        )
        return answer if not broken else Answer(500, {"message": "The double is wrong", "errors": broken})

    def _done(self, route: Route, call: Call) -> Answer:
        try:
            self._admit(route, call)
            return _cached(call, route.answer(call))
        except GitHubError as error:
            return Answer(error.status, error.body())
        except Exception as error:
            # A client that is patient with 500 would hide it.
            self.violations.append(f"answer to {call.method} {call.path}: the double broke: {error!r}")
            raise

    def _admit(self, route: Route, call: Call) -> None:
        signed = route.path.startswith("/app/") or route.path in ("/app", f"{REPOSITORY}/installation")
        if signed:
            return
        call.token = access.identify(self.world, call.headers.get("authorization"))
        if "owner" in call.params:
            call.found = access.reach(self.world, call.token, route, call.params["owner"], call.params["repo"])
            movement.look(self.world, call.found)

    def _refused(self, call: Call, wrong: list[str]) -> Answer:
        self.violations += [f"{call.method} {call.path}: {line}" for line in wrong]
        too_many = all(line.endswith(("(maxItems)", "(maxLength)")) for line in wrong)
        return Answer(
            422 if too_many else 400,
            {"message": "Invalid request.", "errors": wrong, "documentation_url": DOCUMENTATION},
        )

    async def _unknown(self, request: Request) -> Response:
        self.violations.append(f"{request.method} {request.url.path}: not documented, or not played by the double")
        return _response(Answer(404, GitHubError(404, "Not Found").body()))


def _openness(line: list[str]) -> tuple[int, int]:
    """What is fixed comes before what takes anything."""
    parts = line[1].split("/")
    fixed = [part for part in parts if not part.startswith("{")]
    return -len(fixed), -len(parts)


def _call(world: World, route: Route, request: Request, body: bytes) -> Call:
    params = {name: str(value) for name, value in request.path_params.items()}
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = dict(request.query_params)
    return Call(world, request.method, route.path, request.url.path, params, query, headers, body)


def _asked(call: Call) -> Asked:
    return Asked(call.method.lower(), call.operation, call.params, list(call.query.items()), call.body)


def _not_json(body: bytes) -> list[str]:
    if body:
        try:
            json.loads(body)
        except ValueError as error:
            return [f"Problems parsing JSON: {error}"]
    return []


def _cached(call: Call, answer: Answer) -> Answer:
    """With an ETag; 304 where the client has it already."""
    if call.method != "GET" or answer.status != 200:
        return answer
    tag = f'W/"{hashlib.sha256(answer.data()).hexdigest()}"'
    if call.headers.get("if-none-match") == tag:
        return Answer(304, headers={"ETag": tag})
    return replace(answer, headers=answer.headers | {"ETag": tag})


def _response(answer: Answer) -> Response:
    limits = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999", "x-ratelimit-reset": "4102444800"}
    headers = {"x-ratelimit-resource": "core", "X-GitHub-Media-Type": "github.v3"} | limits | answer.headers
    return Response(answer.data() or None, answer.status, headers, answer.kind if answer.body is not None else None)


async def _cut(request: Request) -> Response:
    """Ends the connection with no answer."""
    abort: Callable[[], None] = request.scope["state"]["transport"].abort
    abort()
    while (await request.receive())["type"] != "http.disconnect":
        continue
    return Response(status_code=502)
