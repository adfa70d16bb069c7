"""A server that ends by itself takes its report away, whatever it was doing."""

import asyncio
import threading
from pathlib import Path

from dagster_project.domain.deployment import ServerReport
from dagster_project.serving.metrics import Metrics
from dagster_project.serving.reconcile import Reconciler
from dagster_project.serving.registry import Registry
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore

Place = tuple[Path, ArtifactStore, str]


class Slow(Deployments):
    """Its place takes a while to take a report."""

    def __init__(self, store: ArtifactStore, writes: str) -> None:
        super().__init__(store, writes)
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def report(self, report: ServerReport) -> None:
        """Write it when told to."""
        self.begun.set()
        assert self.goes_on.wait(20)
        super().report(report)


def test_a_report_that_is_being_written_is_taken_away_too(place: Place) -> None:
    slow = Slow(place[1], place[2])
    metrics = Metrics()
    registry = Registry(metrics)
    reconciler = Reconciler("s-1", "http://s", slow.store, slow, registry, metrics, 0.01, lambda _: None)

    async def life() -> None:
        following = asyncio.create_task(reconciler.run())
        assert await asyncio.to_thread(slow.begun.wait, 20)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        leaving = asyncio.create_task(reconciler.leave())
        await asyncio.wait([leaving], timeout=0.2)
        slow.goes_on.set()
        await leaving

    asyncio.run(life())
    assert slow.reports() == []
