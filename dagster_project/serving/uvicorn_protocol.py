"""uvicorn's HTTP protocol, which tells the application how many requests are about to begin.

A request that comes alone is then answered at once, without a turn of the event loop to see whether others came along.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class CountingProtocol(HttpToolsProtocol):
    """Counts a request when its task is made; the application takes it off when the task begins."""

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.app.arriving += 1
        super()._start_asgi_task(cycle, app)
