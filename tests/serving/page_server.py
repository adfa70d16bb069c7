"""The page beside canned answers: every kind of column, three classes, each state of a model."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from dagster_project.domain.bundle import Example
from dagster_project.domain.deployment import DesiredModel, Version
from dagster_project.domain.lock import ChampionLock, LockedMetric
from dagster_project.domain.rollout import Place
from dagster_project.serving.page import MODELS
from dagster_project.serving.protocol import BadRequest, InferRequest, decode_request, encode_response
from dagster_project.serving.signature import OutputSpec, Signature
from tests.serving.v2_requests import INPUTS

CLASSES = ["late", "on <i>time</i>", "early"]
CHANCES = [0.25, 0.125, 0.625]
HOSTILE = "<script>hacked = 1</script><img src=x onerror='hacked = 2'> says its owner"
OUTPUTS = (OutputSpec("label", "BYTES", 1), OutputSpec("probabilities", "FP32", 3))
SIGNATURE = Signature(INPUTS, OUTPUTS, "flight", request_rows=50)
ROW: dict[str, Any] = {
    "carrier": "9É", "remark": None, "distance": float(np.float32(12.3)), "humid": None, "engines": 4.0, "seats": 100.0,
    "windy": 1.0, "profile": None, "salary": None,
}  # fmt: skip


def digest(digit: str) -> str:
    """A digest of one digit."""
    return f"sha256:{digit * 64}"


def model(onnx: str = digest("a"), **changed: Any) -> dict[str, Any]:
    """What ``/status`` says of a live model."""
    lock = ChampionLock(
        model="flights", onnx=onnx, bundle=digest("b"), snapshot=digest("c"), spec=digest("d"), code=digest("e"),
        environment=digest("f"), build_key=digest("1"), commit="2" * 40, family="random_forest",
        parameters={"max_depth": 7}, metrics={"roc_auc": LockedMetric(value=0.71234, low=0.6, high=0.8)},
        verdict=digest("3"), replaces=digest("4"),
    )  # fmt: skip
    desired = DesiredModel(
        name="flights", description=HOSTILE, owners=("<b>owners</b>", "others"), task="multiclass", lock=lock,
        inputs=INPUTS, id_column="flight",
    )  # fmt: skip
    outputs = {"label": "early", "probabilities": CHANCES}
    examples = [Example(inputs=ROW, outputs=outputs), Example(inputs={**ROW, "carrier": "AA"}, outputs=outputs)]
    return {
        "error": None, "versions": [version(onnx, "live", 12)],
        "desired": desired.model_dump(mode="json", exclude={"serving"}),
        "examples": [example.model_dump(mode="json") for example in examples],
        "outputs": [{"name": output.name, "datatype": output.datatype} for output in OUTPUTS], "classes": CLASSES,
        "importances": {"distance": 0.75, "carrier": 0.25, "remark": 0.0}, **changed,
    }  # fmt: skip


def version(onnx: str, place: Place, answers: int) -> dict[str, Any]:
    """One loaded version."""
    made = Version(onnx=onnx, lock=digest("5"), place=place, answers=answers, since="2026-01-02T03:04:05Z")
    return made.model_dump(mode="json")


class Canned:
    """An ASGI application; ``models`` is what it serves, ``requests`` what it was asked."""

    def __init__(self) -> None:
        self.models: dict[str, Any] = {"flights": model()}
        self.requests: list[tuple[str, InferRequest]] = []
        self.looks = 0
        self.words: dict[str, Any] = {}
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer as the server would."""
        body = (await receive()).get("body", b"")
        status, content = self._answer(scope["path"], body)
        html = isinstance(content, bytes)
        kind = b"text/html; charset=utf-8" if html else b"application/json"
        headers = [(b"content-type", kind), *([(b"content-security-policy", MODELS.policy)] if html else [])]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content if html else json.dumps(content).encode()})

    def _answer(self, path: str, body: bytes) -> tuple[int, Any]:
        if path == "/":
            return 200, MODELS.body
        if path == "/status":
            self.looks += 1
            live = all("desired" in model for model in self.models.values())
            named = {"server": "here-1", "desired": digest("6"), "written": "2026-01-02T03:04:05Z"}
            return 200, {**named, "ready": live, "models": self.models}
        try:
            request = decode_request(body, None, SIGNATURE)
        except BadRequest as wrong:
            return wrong.status, {"error": str(wrong)}
        self.requests.append((path, request))
        return 200, infer(request) if path.endswith("/infer") else explain(request, self.words)


def infer(request: InferRequest) -> Any:
    """The same answer to every row."""
    answers = {"label": np.array(["early"], object), "probabilities": np.array([CHANCES], np.float32)}
    content, _ = encode_response(request, "flights", "a" * 12, answers, {"row_ids": ["0192-row"]})
    return json.loads(content)


def explain(request: InferRequest, words: dict[str, Any]) -> Any:
    """Column number c added (-1)^c * c / 100 to the last class."""
    columns, wide = list(request.columns.arrays()), len(CLASSES)
    values = np.zeros((len(columns), wide))
    values[:, 2] = [(-1) ** place * place / 100 for place in range(len(columns))]
    parts = {
        "attributions": values, "standard_errors": abs(values) / 10, "base": np.array([0.3, 0.2, 0.5]),
        "answers": np.array([CHANCES]),
    }  # fmt: skip
    outputs = [{"name": name, "datatype": "FP64", "data": part.ravel().tolist()} for name, part in parts.items()]
    return {"outputs": outputs, "parameters": {"columns": columns, "explained": CLASSES, **words}}


@contextmanager
def canned() -> Iterator[Canned]:
    """It listens on a free loopback port until the block ends."""
    import socket

    import uvicorn

    app = Canned()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app.url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        config = uvicorn.Config(app, lifespan="off", ws="none", loop="asyncio", log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield app
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            assert not thread.is_alive()
