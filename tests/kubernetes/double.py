"""A Kubernetes API on loopback: as much of it as the official client and dagster-ray use, for objects in memory.

Every manifest is held against KubeRay's schemas, and so is every status that is written; a request that is not played
is answered 404 and remembered in ``violations``.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.github.faults import Faults
from tests.github.server import serving
from tests.kubernetes import patches, refusals, selectors
from tests.kubernetes.access import ADMIN, Accounts, Rules
from tests.kubernetes.refusals import Refusal
from tests.kubernetes.world import KINDS, Object, World

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_SUBRESOURCES = {"rayjobs": ("status",), "rayclusters": ("status",), "pods": ("log", "status")}


@dataclass(frozen=True)
class Done:
    """A request that was answered."""

    method: str
    path: str
    status: int
    who: str


@dataclass
class Double:
    """The server's state. ``url`` and ``admin`` (a token) are set once it serves."""

    world: World = field(default_factory=World)
    accounts: Accounts = field(default_factory=Accounts)
    faults: Faults = field(default_factory=Faults)
    calls: list[Done] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    logs: dict[str, Path] = field(default_factory=dict)
    url: str = ""
    admin: str = ""

    def kubeconfig(self, file: Path, name: str = "admin", rules: Rules | None = None, namespace: str = "") -> Path:
        """Write a kubeconfig; with ``rules`` for an account that may do no more than these, in one namespace."""
        token = self.admin if rules is None else self.accounts.add(name, rules, namespace or None)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "double", "cluster": {"server": self.url}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": "double", "context": {"cluster": "double", "user": name}}],
            "current-context": "double",
        }
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(config))
        return file

    def application(self) -> Starlette:
        """The routes; everything else is refused."""
        every = list(_VERBS)
        routes = [Route("/version", _version)]
        for plural, (api, _) in KINDS.items():
            base = f"/api/{api}" if "/" not in api else f"/apis/{api}"
            inside = f"{base}/namespaces/{{namespace}}/{plural}"
            item = f"{inside}/{{name}}"
            routes += [self._route(path, plural, every) for path in (f"{base}/{plural}", inside, item)]
            routes += [self._route(f"{item}/{part}", plural, every, part) for part in _SUBRESOURCES.get(plural, ())]
        return Starlette(routes=[*routes, Route("/{anything:path}", self._unknown, methods=every)])

    def _route(self, path: str, plural: str, methods: list[str], part: str | None = None) -> Route:
        async def endpoint(request: Request) -> Response:
            fault = self.faults.take(request.method, request.url.path)
            if fault and fault.hang:
                await asyncio.sleep(fault.hang)
            if fault and fault.status is not None:
                return JSONResponse(Refusal(fault.status, "", "a fault").body(), fault.status)
            body = await request.body()
            return await asyncio.to_thread(self._answer, request, plural, part, body)

        return Route(path, endpoint, methods=methods)

    def _answer(self, request: Request, plural: str, part: str | None, body: bytes) -> Response:
        who = ""
        try:
            who = self._admit(request, plural, part)
            answer = self._done(request, plural, part, body)
        except Refusal as refusal:
            answer = JSONResponse(refusal.body(), refusal.code)
        except Exception as error:
            self.violations.append(f"{request.method} {request.url.path}: the double broke: {error!r}")
            raise
        self.calls.append(Done(request.method, request.url.path, answer.status_code, who))
        return answer

    def _admit(self, request: Request, plural: str, part: str | None) -> str:
        namespace, api = request.path_params.get("namespace"), KINDS[plural][0]
        verb = "list" if request.method == "GET" and "name" not in request.path_params else _VERBS[request.method]
        group, resource = api.rpartition("/")[0], f"{plural}/{part}" if part else plural
        return self.accounts.admit(request.headers.get("authorization", ""), verb, group, resource, namespace)

    def _done(self, request: Request, plural: str, part: str | None, body: bytes) -> Response:
        namespace, name = request.path_params.get("namespace"), request.path_params.get("name")
        if request.method == "GET" and name is None:
            return JSONResponse(self._listed(request, plural, namespace))
        assert namespace is not None
        if request.method == "GET":
            found = self.world.get(plural, namespace, str(name))
            return self._log(request, found) if part == "log" else JSONResponse(found)
        if request.method == "POST" and name is None:
            return JSONResponse(self.world.create(plural, namespace, json.loads(body)), 201)
        if request.method == "DELETE" and name:
            return JSONResponse(self._deleted(request, (plural, namespace, name), body))
        if request.method in ("PUT", "PATCH") and name:
            return JSONResponse(self._changed(request, (plural, namespace, name), part, body))
        raise Refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _listed(self, request: Request, plural: str, namespace: str | None) -> Object:
        query = request.query_params
        if query.get("watch") in ("true", "1", "True"):
            self.violations.append(f"GET {request.url}: watching is not played")
            raise Refusal(400, "BadRequest", "watching is not played by the double")
        fits = selectors.by_labels(query.get("labelSelector", "")), selectors.by_fields(query.get("fieldSelector", ""))
        api, kind = KINDS[plural]
        with self.world.lock:
            metadata = {"resourceVersion": str(self.world.version)}
            return {
                "apiVersion": api, "kind": f"{kind}List", "metadata": metadata,
                "items": self.world.all(plural, namespace, *fits),
            }  # fmt: skip

    def _deleted(self, request: Request, key: tuple[str, str, str], body: bytes) -> Object:
        options: dict[str, Any] = json.loads(body) if body else {}
        asked = options.get("preconditions") or {}
        policy = options.get("propagationPolicy") or request.query_params.get("propagationPolicy") or "Background"
        left = self.world.delete(key, policy, asked.get("uid"), asked.get("resourceVersion"))
        return left or refusals.status("Success", 200, "", "", {"name": key[2], "kind": key[0]})

    def _changed(self, request: Request, key: tuple[str, str, str], part: str | None, body: bytes) -> Object:
        asked, kind = json.loads(body), request.headers.get("content-type", "")
        if request.method == "PUT":
            return self.world.update(key, lambda _: asked, part=part)
        if kind.startswith("application/json-patch+json") and isinstance(asked, list):
            return self.world.update(key, lambda old: patches.patched(old, asked), part=part)
        if kind.startswith("application/merge-patch+json") and isinstance(asked, dict):
            return self.world.update(key, lambda old: patches.merged(old, asked), part=part)
        raise Refusal(415, "UnsupportedMediaType", f"{kind}: custom resources take merge patches and JSON patches")

    def _log(self, request: Request, pod: Object) -> Response:
        name = pod["metadata"]["name"]
        lines = self.logs[name].read_text(errors="replace").splitlines() if name in self.logs else []
        tail = int(request.query_params.get("tailLines", len(lines)))
        return PlainTextResponse("\n".join(lines[len(lines) - min(tail, len(lines)) :]))

    async def _unknown(self, request: Request) -> Response:
        self.violations.append(f"{request.method} {request.url.path}: not played by the double")
        return JSONResponse(Refusal(404, "NotFound", "the server could not find the requested resource").body(), 404)


async def _version(request: Request) -> Response:
    return JSONResponse({"major": "1", "minor": "34", "gitVersion": "v1.34.0-double"})


@contextmanager
def kubernetes_double() -> Iterator[Double]:
    """A Kubernetes API in this process, with nothing that acts on its objects.

    Raises:
        AssertionError: at the end, where something was asked that it does not play.
    """
    double = Double()
    double.admin = double.accounts.add("admin", ADMIN)
    with serving(double.application()) as url:
        double.url = url
        yield double
    assert not double.violations, "\n".join(double.violations)
