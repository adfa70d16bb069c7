"""Servers as `acts deploy` sees them: reports and rejections, written from a thread."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster_project.domain.deployment import DesiredState, Rejection, ServedModel, ServerReport, Version
from dagster_project.storage.deployments import Deployments

Models = Callable[[DesiredState | None, int], dict[str, ServedModel]]


def report(server: str, desired: str | None, models: dict[str, ServedModel], age: float = 0.0) -> ServerReport:
    """A report that was written ``age`` seconds ago."""
    now = datetime.now(UTC)
    written = now - timedelta(seconds=age)
    return ServerReport(
        server=server, address="127.0.0.1:8080", started=now, written=written, desired=desired, models=models
    )


def serving(onnx: str, place: Any = "live", answers: int = 0, lock: str = "", live: str | None = None) -> ServedModel:
    """One model with one version, and perhaps another that is live."""
    since = datetime.now(UTC)
    versions = [Version(onnx=onnx, lock=lock, place=place, answers=answers, since=since)]
    if live:
        versions.append(Version(onnx=live, lock=lock, place="live", since=since))
    return ServedModel(versions=tuple(versions))


def all_live(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
    """A server that serves what is desired at once."""
    return {name: serving(model.onnx) for name, model in state.models.items()} if state else {}


def rejection(state: DesiredState, model: str, server: str = "a") -> Rejection:
    """A server's no to a model of ``state``."""
    wanted = state.models[model]
    return Rejection(
        model=model, onnx=wanted.onnx, lock=wanted.lock_digest, place="canary", reason="5 of 100 runs broke",
        observed={"errors": 5, "p99_seconds": 0.31234567}, server=server, at=datetime.now(UTC),
    )  # fmt: skip


@contextmanager
def server(deployments: Deployments, name: str = "a", models: Models = all_live) -> Iterator[None]:
    """A server that polls, and says ``models(desired state, turn)`` until the block ends."""
    stop, broken = threading.Event(), list[BaseException]()

    def play() -> None:
        turn = 0
        try:
            while not stop.wait(0.05):
                found = deployments.desired()
                digest, state = found or (None, None)
                deployments.report(report(name, digest, models(state, turn)))
                turn += 1
        except BaseException as error:  # noqa: BLE001 - told to the test below
            broken.append(error)

    deployments.report(report(name, None, {}))
    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        deployments.forget(name)
        assert not broken, broken
