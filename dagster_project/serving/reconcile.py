"""Make what is served equal the desired state: load aside, verify, swap; advance or reject what is on its way."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime

from dagster_project.domain.deployment import DesiredModel, DesiredState, Rejection, ServerReport
from dagster_project.domain.errors import ActsError
from dagster_project.domain.rollout import first_place, next_step
from dagster_project.serving.batching import Batcher
from dagster_project.serving.live import load
from dagster_project.serving.metrics import Metrics
from dagster_project.serving.registry import Loaded, Registry
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore

RETRY = 10.0  # seconds until a model that did not load is tried again
REPORT = 2.0  # seconds between two reports
_log = logging.getLogger("acts.serving")


class Reconciler:
    """Polls the desired state and follows it. All changes of the registry happen in the event loop."""

    def __init__(
        self, server: str, address: str, store: ArtifactStore, deployments: Deployments, registry: Registry,
        metrics: Metrics, poll: float, followed: Callable[[DesiredState], None],
    ) -> None:  # fmt: skip
        """``followed`` is told of each desired state that was read."""
        self.server, self.address = server, address
        self.seen: str | None = None
        self.wanted: frozenset[str] | None = None
        self._store, self._deployments, self._registry, self._metrics = store, deployments, registry, metrics
        self._poll, self._followed = poll, followed
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="runs")  # one run a model at a time
        self._started = datetime.now(UTC)
        self._failed: dict[str, tuple[DesiredModel, float]] = {}
        self._reported = 0.0
        self._reporting: asyncio.Future[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the desired state was read and every model in it answers."""
        slots = self._registry.slots
        return self.wanted is not None and all(name in slots and slots[name].live for name in self.wanted)

    async def run(self) -> None:
        """Until cancelled. A store that is away changes nothing that is served."""
        while True:
            try:
                await self.round()
            except ActsError as error:
                _log.error("cannot follow the desired state: %s", error)
            await asyncio.sleep(self._poll)

    async def round(self) -> None:
        """Read, follow, advance, report."""
        found = await asyncio.to_thread(self._deployments.desired)
        if found is not None:
            await self._follow(*found)
        for name, slot in list(self._registry.slots.items()):
            if slot.coming:
                await self._advance(name, slot.coming)
        if time.monotonic() - self._reported >= REPORT:
            self._reporting = asyncio.ensure_future(asyncio.to_thread(self._deployments.report, self.report()))
            await asyncio.shield(self._reporting)
            self._reported = time.monotonic()

    def report(self) -> ServerReport:
        """What this server says of itself."""
        return ServerReport(
            server=self.server,
            address=self.address,
            started=self._started,
            written=datetime.now(UTC),
            desired=self.seen,
            models=self._registry.described(),
        )

    async def leave(self) -> None:
        """Say nothing more: a server that ends by itself is not missed. Cancel :meth:`run` before."""
        if self._reporting:  # its thread can't be cancelled, and would write the report again
            await asyncio.wait([self._reporting])
        await asyncio.to_thread(self._deployments.forget, self.server)
        self._pool.shutdown(wait=False)

    async def _follow(self, digest: str, state: DesiredState) -> None:
        for name in self._registry.slots.keys() - state.models.keys():
            self._registry.withdraw(name)
            _log.info("%s is served no more", name)
        for name, desired in state.models.items():
            await self._want(desired, state.fallbacks.get(name))
        if digest != self.seen:
            self._reported = 0.0
            self._followed(state)
        self.seen, self.wanted = digest, frozenset(state.models)

    async def _want(self, desired: DesiredModel, fallback: DesiredModel | None) -> None:
        slot = self._registry.slot(desired.name)
        if slot.live and slot.live.model.desired == desired:
            slot.coming, slot.error = None, None
            return
        rejection = await self._rejection(desired)
        on_trial = first_place(desired.serving.rollout, has_live=True) != "live"
        if slot.live is None and fallback and (rejection or on_trial) and not self._waits(fallback):
            await self._load(fallback)  # a server that starts now must not skip the trial that others hold
        if rejection:
            slot.coming, slot.error = None, f"rejected: {rejection.reason}"
        elif not (slot.coming and slot.coming.model.desired == desired) and not self._waits(desired):
            await self._load(desired)

    async def _rejection(self, desired: DesiredModel) -> Rejection | None:
        rejected = self._deployments.is_rejected
        return await asyncio.to_thread(rejected, desired.name, desired.onnx, desired.lock_digest)

    def _waits(self, desired: DesiredModel) -> bool:
        failed = self._failed.get(desired.name)
        return failed is not None and failed[0] == desired and time.monotonic() < failed[1]

    async def _load(self, desired: DesiredModel) -> None:
        slot = self._registry.slot(desired.name)
        try:
            model = await asyncio.to_thread(load, self._store, desired)
        except ActsError as error:
            slot.error = str(error)
            self._failed[desired.name] = (desired, time.monotonic() + RETRY)
            _log.error("%s was not loaded: %s", desired.name, error)
            return
        self._failed.pop(desired.name, None)
        loaded = self._registry.enter(Batcher(model, self._pool, self._metrics.of(desired.name).ran))
        _log.info("%s %s is loaded: %s", model.name, model.version, loaded.place)

    async def _advance(self, name: str, coming: Loaded) -> None:
        desired, observed = coming.model.desired, coming.observer.observed()
        step = next_step(desired.serving.rollout, coming.place, observed)
        if step.place == "rejected":
            rejection = Rejection(
                model=name,
                onnx=desired.onnx,
                lock=desired.lock_digest,
                place=coming.place,
                reason=step.reason,
                observed=asdict(observed),
                server=self.server,
                at=datetime.now(UTC),
            )
            self._registry.drop(name)
            self._registry.slot(name).error = f"rejected: {step.reason}"
            _log.warning("%s %s is rejected: %s", name, coming.model.version, step.reason)
            await asyncio.to_thread(self._deployments.reject, rejection)
        elif step.place != coming.place:
            self._registry.move(name, step.place)
            _log.info("%s %s goes from %s to %s", name, coming.model.version, coming.place, step.place)
