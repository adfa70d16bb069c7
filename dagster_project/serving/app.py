"""The server as a raw ASGI application: a framework would cost more than a small model (docs/serving.md)."""

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from dagster_project.serving.answering import Answerer, Asked
from dagster_project.serving.batching import BrokenError, LateError, OverloadedError
from dagster_project.serving.explaining import Explainer
from dagster_project.serving.guard import Guard
from dagster_project.serving.http import (
    Answer,
    HttpError,
    Receive,
    Scope,
    Send,
    as_json,
    error,
    read_body,
    send_answer,
)
from dagster_project.serving.labelling import Labeller
from dagster_project.serving.live import Arrays
from dagster_project.serving.metrics import Metrics
from dagster_project.serving.protocol import BadRequest, InferRequest, decode_request, decompress, encode_response
from dagster_project.serving.reconcile import Reconciler
from dagster_project.serving.registry import Loaded, Registry
from dagster_project.serving.reviewing import Reviewer
from dagster_project.serving.views import Views, view_at

INFER, EXPLAIN, LABELS, REVIEW = CALLS = ("infer", "explain", "labels", "review")
ROLES = {INFER: "infer", EXPLAIN: "explain", LABELS: "label", REVIEW: "label"}
METHODS = {REVIEW: ("GET", "POST")}
_log = logging.getLogger("acts.serving")


class App:
    """One server: what it serves, who may call it, what it writes down."""

    def __init__(
        self, registry: Registry, reconciler: Reconciler, answerer: Answerer, explainer: Explainer, labeller: Labeller,
        reviewer: Reviewer, metrics: Metrics, guard: Guard, views: Views, body_bytes: int,
        closing: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._registry, self._reconciler, self._answerer, self._labeller = registry, reconciler, answerer, labeller
        self._reviewer = reviewer
        self._explainer, self._metrics, self._guard, self._views = explainer, metrics, guard, views
        self._body_bytes, self._closing = body_bytes, closing
        self.arriving: int | None = None
        """Requests that are about to begin, where the HTTP protocol counts them (:mod:`uvicorn_protocol`)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})  # before it was accepted: 403
        elif scope["type"] == "http":
            model, answer = await self._answer(scope, receive, time.monotonic())
            self._metrics.answered(model, answer.status)
            await send_answer(send, answer)

    def take(self, scope: Scope, body: bytes, reply: Callable[[Answer], None]) -> bool:
        """Answer an inference request that is there whole, without a task: ``reply`` gets the answer, now or later.

        False: it is none, or too large. The application itself takes it, or says what is wrong.
        """
        parts = scope["path"].split("/")
        if parts[-1] != INFER or scope["method"] != "POST" or len(body) > self._body_bytes or not _below_models(parts):
            return False
        started, name = time.monotonic(), ""
        try:
            loaded, _ = self._find(parts)
            name = loaded.model.name
            headers = dict(scope["headers"])
            self._guard.admit(headers, scope.get("client"), ROLES[INFER])
            asked = self._ask(loaded, headers, body, started)
            found = self._answerer.begin(asked, self.arriving == 0)
        except Exception as wrong:  # noqa: BLE001 all of them become an answer
            self._reply(name, refusal(name, wrong), reply)
            return True
        if isinstance(found, asyncio.Future):
            found.add_done_callback(partial(self._end, asked, reply))
        else:
            self._end(asked, reply, found)
        return True

    def _end(self, asked: Asked, reply: Callable[[Answer], None], found: "Arrays | asyncio.Future[Arrays]") -> None:
        name = asked.loaded.model.name
        try:
            answer = self._told(asked, found)
        except Exception as wrong:  # noqa: BLE001 all of them become an answer
            answer = refusal(name, wrong)
        self._reply(name, answer, reply)

    def _reply(self, model: str, answer: Answer, reply: Callable[[Answer], None]) -> None:
        self._metrics.answered(model, answer.status)
        reply(answer)

    async def _answer(self, scope: Scope, receive: Receive, started: float) -> tuple[str, Answer]:
        """The model that was meant (empty: none), and the answer."""
        parts = scope["path"].split("/")
        name = ""
        try:
            if parts[-1] in CALLS and _below_models(parts):
                methods = METHODS.get(parts[-1], ("POST",))
                if scope["method"] not in methods:
                    words = f"{scope['path'][:200]} takes {' or '.join(methods)}"
                    raise HttpError(405, words, (b"allow", ", ".join(methods).encode()))
                loaded, action = self._find(parts)
                name = loaded.model.name
                return name, await self._call(loaded, action, scope, receive, started)
            return name, await self._view(scope, receive, parts)
        except Exception as wrong:  # noqa: BLE001 all of them become an answer
            return name, refusal(name, wrong)

    def _find(self, parts: list[str]) -> tuple[Loaded, str]:
        """/v2/models/NAME[/versions/V]/ACTION; labels and review are of no version: they are of what happened."""
        version = parts[5] if len(parts) == 7 and parts[4] == "versions" and parts[6] in (INFER, EXPLAIN) else None
        if version is None and len(parts) != 5:
            raise HttpError(
                404,
                "there is nothing here; infer and explain stand below a model or its version, labels and review "
                "below a model",
            )
        loaded = self._registry.pick(parts[3], version)
        if loaded is None:
            raise HttpError(404, self._views.unknown(parts[3], version))
        return loaded, parts[-1]

    async def _call(self, loaded: Loaded, action: str, scope: Scope, receive: Receive, started: float) -> Answer:
        headers = dict(scope["headers"])
        holder = self._guard.admit(headers, scope.get("client"), ROLES[action])
        body = await read_body(headers, receive, self._body_bytes)
        if action == INFER:
            asked = self._ask(loaded, headers, body, started)
            found = self._answerer.begin(asked, self.arriving == 0)
            if isinstance(found, asyncio.Future):
                with suppress(LateError, BrokenError):  # raised again by whoever looks at the result
                    await found
            return self._told(asked, found)
        body = self._decompressed(headers, body)
        name = holder.name if holder else None
        if action == LABELS:
            return as_json(await self._labeller.take(loaded, body, name))
        if action == REVIEW and scope["method"] == "GET":
            return as_json(await self._reviewer.next(loaded, scope["query_string"], name))
        if action == REVIEW:
            return as_json(await self._reviewer.skip(loaded, body, name))
        request = decode_request(body, _header_length(headers), loaded.model.signature)
        return as_json(await self._explainer.explain(loaded, request))

    def _ask(self, loaded: Loaded, headers: dict[bytes, bytes], body: bytes, started: float) -> Asked:
        body, length = self._decompressed(headers, body), _header_length(headers)
        request = decode_request(body, length, loaded.model.signature)
        return Asked(loaded, request, body, length, started, _deadline(loaded, request, started))

    def _told(self, asked: Asked, found: "Arrays | asyncio.Future[Arrays]") -> Answer:
        answers, parameters = self._answerer.end(asked, found)
        model = asked.loaded.model
        content, length = encode_response(asked.request, model.name, model.version, answers, parameters)
        asked.loaded.metrics.request_seconds.add(time.monotonic() - asked.started)
        if length is None:
            return Answer(content)
        binary = ((b"inference-header-content-length", b"%d" % length),)
        return Answer(content, 200, b"application/octet-stream", binary)

    def _decompressed(self, headers: dict[bytes, bytes], body: bytes) -> bytes:
        encoding = headers.get(b"content-encoding")
        return decompress(body, encoding.decode("latin-1"), self._body_bytes) if encoding else body

    async def _view(self, scope: Scope, receive: Receive, parts: list[str]) -> Answer:
        """Everything that is looked at rather than called."""
        method, path = scope["method"], scope["path"]
        view = view_at(path)
        if view is None:
            raise HttpError(404, f"there is nothing at {path[:200]}")
        if method not in (view.method, "HEAD" if view.method == "GET" else view.method):
            raise HttpError(405, f"{path[:200]} takes {view.method}", (b"allow", view.method.encode()))
        if not view.open:
            self._guard.admit(dict(scope["headers"]), scope.get("client"), view.role)
        if method == "POST":
            await read_body(dict(scope["headers"]), receive, self._body_bytes)
        answer = view.answer(self._views, parts)
        return Answer(b"", answer.status, answer.content_type) if method == "HEAD" else answer

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        following = asyncio.create_task(self._reconciler.run())
        gc.freeze()  # what is there now stays: no need to look at it again
        await send({"type": "lifespan.startup.complete"})
        await receive()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await self._closing()
        await send({"type": "lifespan.shutdown.complete"})


def refusal(model: str, wrong: Exception) -> Answer:
    """The answer that says what was wrong; what nobody expected goes to the log, with its traceback."""
    match wrong:
        case BadRequest():
            return error(wrong.status, str(wrong))
        case HttpError():
            return error(wrong.status, str(wrong), *wrong.headers)
        case OverloadedError():
            return error(429, str(wrong), (b"retry-after", b"%d" % max(1, round(wrong.seconds))))
        case LateError():
            return error(504, "the deadline was over before the model ran; send less, or give it longer")
        case BrokenError():
            _log.error("%s did not answer: %s", model, wrong)
            return error(500, f"the model did not answer: {wrong}")
    _log.error("unexpected", exc_info=wrong)
    return error(500, "something unexpected broke; the server's log says what")


def _below_models(parts: list[str]) -> bool:
    return len(parts) >= 5 and parts[1] == "v2" and parts[2] == "models"


def _header_length(headers: dict[bytes, bytes]) -> int | None:
    """Length of the JSON before the binary tensors."""
    length = headers.get(b"inference-header-content-length")
    if length is None:
        return None
    if not length.isdigit() or len(length) > 12:
        raise BadRequest("Inference-Header-Content-Length must be a number of bytes")
    return int(length)


def _deadline(loaded: Loaded, request: InferRequest, started: float) -> float:
    """The spec's, or the request's own ``timeout`` (microseconds, as Triton's clients send it), whichever is sooner."""
    most = loaded.model.deadline
    wanted = request.parameters.get("timeout")
    if isinstance(wanted, int) and not isinstance(wanted, bool) and 0 < wanted < most * 1e6:
        most = wanted / 1e6
    return started + most
