"""uvicorn's HTTP protocol, which hands inference requests over whole: no task, no messages, one write.

A request is read in one turn of the event loop and begins in the next, so the application knows how many others begin
with it (``arriving``): one that comes alone is answered at once, those that come together go into one run. What is not
there whole, what is no inference request, and every other ASGI server take the application's usual way.
"""

from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from dagster_project.serving.http import Answer, answer_headers, send_answer


class WholeProtocol(HttpToolsProtocol):
    """Calls ``app.take`` with each request that is there whole, and the application itself with every other."""

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if app is not self.app:  # uvicorn's own refusal
            super()._start_asgi_task(cycle, app)
            return
        app.arriving += 1
        self.loop.call_soon(self._begin, cycle, app)

    def _begin(self, cycle: Any, app: Any) -> None:
        app.arriving -= 1
        whole = not cycle.more_body and not cycle.disconnected
        if not (whole and app.take(cycle.scope, bytes(cycle.body), partial(self._answer, cycle))):
            super()._start_asgi_task(cycle, app)

    def _answer(self, cycle: Any, answer: Answer) -> None:
        if cycle.disconnected or self.transport.is_closing():  # of several that were sent at once, the last one knows
            return
        if self.flow.write_paused:  # its client does not read
            sending = self.loop.create_task(send_answer(cycle.send, answer))
            self.tasks.add(sending)
            sending.add_done_callback(self.tasks.discard)
            return
        parts = [STATUS_LINE[answer.status]]
        for name, value in (*cycle.default_headers, *answer_headers(answer)):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n", answer.body)
        cycle.response_started = cycle.response_complete = True
        self.transport.write(b"".join(parts))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
