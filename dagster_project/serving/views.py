"""What is looked at: health, metadata, metrics, the API's description, the status of every model, the page."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import Any

from dagster_project.serving.http import Answer, HttpError, as_json
from dagster_project.serving.metrics import CONTENT_TYPE, Metrics
from dagster_project.serving.openapi import openapi_document
from dagster_project.serving.page import MODELS, REVIEW, Page
from dagster_project.serving.protocol import model_metadata, server_metadata
from dagster_project.serving.reconcile import Reconciler
from dagster_project.serving.registry import Registry, Slot

PLATFORM = "onnxruntime_onnx"
VERSION = version_of("threeacts")


class Views:
    """Answers that change nothing."""

    def __init__(self, registry: Registry, reconciler: Reconciler, metrics: Metrics) -> None:
        self._registry, self._reconciler, self._metrics = registry, reconciler, metrics

    def live(self, parts: list[str]) -> Answer:
        """The process answers."""
        return as_json({"live": True})

    def ready(self, parts: list[str]) -> Answer:
        """Every desired model answers; ``live`` beside ``ready`` is what the specification's text names."""
        ready = self._reconciler.ready
        return as_json({"live": True, "ready": ready}, 200 if ready else 503)

    def server(self, parts: list[str]) -> Answer:
        """Server metadata."""
        return as_json(server_metadata("threeacts", VERSION))

    def models(self, parts: list[str]) -> Answer:
        """/v2/models/NAME[/versions/V][/ready]"""
        name, rest = parts[3], parts[4:]
        wanted = rest[1] if rest[:1] == ["versions"] else None
        loaded = self._registry.pick(name, wanted)
        if rest[-1:] == ["ready"] and len(rest) != 2:
            known = loaded is not None or (wanted is None and name in (self._reconciler.wanted or ()))
            if not known:
                raise HttpError(404, self.unknown(name, wanted))
            return as_json({"name": name, "ready": loaded is not None}, 200 if loaded else 503)
        if loaded is None:
            raise HttpError(404, self.unknown(name, wanted))
        slot = self._registry.slots[name]
        versions = [each.model.version for each in slot.loaded]
        return as_json(model_metadata(name, versions, PLATFORM, loaded.model.signature))

    def index(self, parts: list[str]) -> Answer:
        """Triton's repository index."""
        return as_json(
            [
                {"name": name, "version": each.model.version, "state": "READY", "reason": each.place}
                for name, slot in sorted(self._registry.slots.items())
                for each in slot.loaded
            ]
        )

    def metrics(self, parts: list[str]) -> Answer:
        """Prometheus."""
        return Answer(self._metrics.text(), content_type=CONTENT_TYPE.encode())

    def openapi(self, parts: list[str]) -> Answer:
        """OpenAPI 3.1 of what is served now."""
        live = {name: slot.live.model.signature for name, slot in self._registry.slots.items() if slot.live}
        return as_json(openapi_document(live, VERSION))

    def status(self, parts: list[str]) -> Answer:
        """Every model with its lock, its rollout and an example to try: what the page shows."""
        report = self._reconciler.report().model_dump(mode="json")
        found = {name: _described(slot) for name, slot in sorted(self._registry.slots.items())}
        return as_json({**report, "ready": self._reconciler.ready, "models": found})

    def page(self, parts: list[str]) -> Answer:
        """For people."""
        return _page(MODELS)

    def review_page(self, parts: list[str]) -> Answer:
        """For people who label."""
        return _page(REVIEW)

    def review(self, parts: list[str]) -> Answer:
        """Models that people may be asked about."""
        return as_json({"models": sorted(name for name, slot in self._registry.slots.items() if slot.live)})

    def unknown(self, name: str, version: str | None) -> str:
        """What to say of a model that is not served."""
        slot = self._registry.slots.get(name)
        if slot and slot.error:
            return f"{name} is not served: {slot.error}"
        if slot and version is not None:
            return f"{name} has no version {version[:40]}; it has {', '.join(v.model.version for v in slot.loaded)}"
        served = ", ".join(sorted(self._registry.slots)) or "nothing"
        return f"there is no model {name[:100]!r}; served: {served}"


@dataclass(frozen=True)
class View:
    """A path, how it is asked, whether it needs no token, and else the role that it needs."""

    answer: Callable[[Views, list[str]], Answer]
    method: str = "GET"
    open: bool = False
    role: str = "infer"


VIEWS = {
    "/": View(Views.page, open=True),
    "/review": View(Views.review_page, open=True),
    "/v2": View(Views.server),
    "/v2/health/live": View(Views.live, open=True),
    "/v2/health/ready": View(Views.ready, open=True),
    "/v2/review": View(Views.review, role="label"),
    "/v2/repository/index": View(Views.index, method="POST"),
    "/metrics": View(Views.metrics),
    "/openapi.json": View(Views.openapi),
    "/status": View(Views.status),
}
MODEL = View(Views.models)
_MODEL_PATH = re.compile(r"/v2/models/[^/]+(/versions/[^/]+)?(/ready)?")


def view_at(path: str) -> View | None:
    """What stands at a path."""
    return VIEWS.get(path) or (MODEL if _MODEL_PATH.fullmatch(path) else None)


def _page(page: Page) -> Answer:
    policy = ((b"content-security-policy", page.policy), (b"x-content-type-options", b"nosniff"))
    return Answer(page.body, content_type=b"text/html; charset=utf-8", headers=policy)


def _described(slot: Slot) -> dict[str, Any]:
    found: dict[str, Any] = {
        "error": slot.error,
        "versions": [v.described().model_dump(mode="json") for v in slot.loaded],
    }
    if slot.live:
        model = slot.live.model
        desired = model.desired.model_dump(mode="json", exclude={"serving"})
        examples = [example.model_dump(mode="json") for example in model.reference.examples]
        outputs = [{"name": o.name, "datatype": o.datatype} for o in model.signature.outputs]
        classes = list(model.manifest.classes)
        found |= {"desired": desired, "examples": examples, "outputs": outputs, "classes": classes}
        found |= {"importances": model.manifest.importances, "target": model.manifest.target}
    return found
