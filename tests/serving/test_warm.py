"""Starting under something else than ``acts serve``: settings from the environment, and a start that waits."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.errors import UsageError
from dagster_project.serving.environment import settings_from, warm_seconds
from dagster_project.serving.warm import Warm


class Loading:
    """An application that is ready when it was asked ``asks`` times."""

    def __init__(self, asks: int) -> None:
        self.asks, self.ended = asks, False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.ended = True
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.asks -= 1
        ready = scope["path"] == "/v2/health/ready" and self.asks <= 0
        await send({"type": "http.response.start", "status": 200 if ready else 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def started(app: Any) -> list[str]:
    """A whole life; what the application said of it."""
    said: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "lifespan.shutdown" if said else "lifespan.startup"}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    return said


LIFE = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_start_waits_for_the_models_and_an_end_reaches_the_application() -> None:
    app = Loading(asks=3)
    assert asyncio.run(started(Warm(app, 30))) == LIFE
    assert app.asks == 0 and app.ended


def test_what_never_gets_ready_starts_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    app = Loading(asks=10_000)
    assert asyncio.run(started(Warm(app, 0.2))) == LIFE
    assert "not ready after 0.2 seconds" in caplog.text


def test_the_environment_says_where_and_how(tmp_path: Path) -> None:
    environ = {"ACTS_REPO": str(tmp_path), "ACTS_TOKENS_FILE": "/etc/acts/tokens.yaml", "ACTS_RATE": "50"}
    settings = settings_from(environ, "10.0.0.7")
    assert settings.workspace.repo == tmp_path and settings.tokens == Path("/etc/acts/tokens.yaml")
    assert (settings.host, settings.port, settings.poll, settings.rate) == ("10.0.0.7", 8000, 1.0, 50.0)
    assert warm_seconds({}) == 30.0 and warm_seconds({"ACTS_WARM": "5"}) == 5.0


@pytest.mark.parametrize("text", ["often", "-1", "nan", "inf", "0.001"])
def test_a_poll_that_is_no_sensible_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ACTS_POLL"):
        settings_from({"ACTS_POLL": text}, "127.0.0.1")
