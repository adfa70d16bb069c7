"""Which versions answer for which model, here and now. Swapping is an assignment in the event loop."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dagster_project.domain.deployment import ServedModel, Version
from dagster_project.domain.rollout import Place, first_place
from dagster_project.serving.batching import Batcher
from dagster_project.serving.live import LiveModel
from dagster_project.serving.metrics import Metrics, ModelMetrics
from dagster_project.serving.observing import Observer


@dataclass
class Loaded:
    """A version that can answer, where it stands, and what was seen of it since it came there."""

    batcher: Batcher
    place: Place
    metrics: ModelMetrics
    observer: Observer = field(default_factory=Observer)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    model: LiveModel = field(init=False)

    def __post_init__(self) -> None:
        self.model = self.batcher.model

    def described(self) -> Version:
        """For reports."""
        desired = self.model.desired
        return Version(
            onnx=desired.onnx,
            lock=desired.lock_digest,
            place=self.place,
            answers=self.observer.answers,
            since=self.since,
        )


@dataclass
class Slot:
    """One model: the version that answers, one that is on its way, and why another one is not."""

    live: Loaded | None = None
    coming: Loaded | None = None
    error: str | None = None

    @property
    def loaded(self) -> tuple[Loaded, ...]:
        """What is in memory."""
        return tuple(version for version in (self.live, self.coming) if version)


class Registry:
    """Models by name. An old version answers what it was given before it was replaced."""

    def __init__(self, metrics: Metrics) -> None:
        self.slots: dict[str, Slot] = {}
        self._metrics = metrics

    def pick(self, name: str, version: str | None = None) -> Loaded | None:
        """Who answers the next request: a canary its share, the live version the rest, or the version asked for."""
        slot = self.slots.get(name)
        if slot is None or slot.live is None:
            return None
        if version is not None:
            return next((loaded for loaded in slot.loaded if loaded.model.version == version), None)
        coming = slot.coming
        if coming and coming.place == "canary":
            stage = coming.model.desired.serving.rollout.canary
            if stage and random.random() < stage.share:
                return coming
        return slot.live

    def mirror(self, name: str, answering: Loaded) -> Loaded | None:
        """Who else shall answer the same rows, to be compared and not returned."""
        slot = self.slots.get(name)
        coming = slot.coming if slot else None
        if slot is None or coming is None:
            return None
        if answering is coming:
            return slot.live
        stage = coming.model.desired.serving.rollout.shadow
        mirrored = coming.place == "shadow" and stage and random.random() < stage.share
        return coming if answering is slot.live and mirrored else None

    def slot(self, name: str) -> Slot:
        """The model's slot, made where there is none."""
        return self.slots.setdefault(name, Slot())

    def enter(self, batcher: Batcher) -> Loaded:
        """A version that was loaded: it goes live at once, or begins its rollout.

        What the live version itself replaced is known: going back to it is a rollback, and waits for nothing.
        """
        model = batcher.model
        slot = self.slot(model.name)
        back = slot.live is not None and slot.live.model.desired.lock.replaces == model.desired.onnx
        same = slot.live is not None and slot.live.model.desired.onnx == model.desired.onnx
        place = "live" if back or same else first_place(model.desired.serving.rollout, slot.live is not None)
        loaded = Loaded(batcher, place, self._metrics.of(model.name))
        slot.error = None
        if place == "live":
            self._go_live(slot, loaded)
        else:
            slot.coming = loaded
        return loaded

    def move(self, name: str, place: Place) -> None:
        """The version on its way goes to another place."""
        slot = self.slots[name]
        coming = slot.coming
        if coming is None:
            return
        moved = Loaded(coming.batcher, place, coming.metrics)
        if place == "live":
            self._go_live(slot, moved)
        else:
            slot.coming = moved

    def drop(self, name: str) -> None:
        """The version on its way is gone; the live one stays."""
        self.slots[name].coming = None

    def withdraw(self, name: str) -> None:
        """The model is served no more."""
        self.slots.pop(name, None)

    def described(self) -> dict[str, ServedModel]:
        """For reports and metrics."""
        found = {}
        for name, slot in self.slots.items():
            versions = tuple(loaded.described() for loaded in slot.loaded)
            found[name] = ServedModel(versions=versions, error=slot.error)
        return found

    def waiting(self) -> dict[tuple[str, str, str], int]:
        """Rows that wait, by model, digest and place, for the metrics."""
        loaded = [(name, version) for name, slot in self.slots.items() for version in slot.loaded]
        return {(name, v.model.desired.onnx, v.place): v.batcher.rows for name, v in loaded}

    def _go_live(self, slot: Slot, loaded: Loaded) -> None:
        loaded.place = "live"
        slot.live, slot.coming = loaded, None
        loaded.metrics.swaps += 1
