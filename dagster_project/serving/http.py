"""HTTP as ASGI gives it: what a request is, and how an answer is sent."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
JSON = b"application/json"


class HttpError(Exception):
    """A request that gets an error for an answer."""

    def __init__(self, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(text)
        self.status, self.headers = status, headers


@dataclass(slots=True)
class Answer:
    """A whole answer."""

    body: bytes
    status: int = 200
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


def as_json(value: Any, status: int = 200) -> Answer:
    """A JSON answer."""
    return Answer(msgspec.json.encode(value), status)


def error(status: int, text: str, *headers: tuple[bytes, bytes]) -> Answer:
    """The protocol's error form."""
    return Answer(msgspec.json.encode({"error": text}), status, JSON, headers)


async def read_body(headers: dict[bytes, bytes], receive: Receive, most: int) -> bytes:
    """The whole body.

    Raises:
        HttpError: it is larger than ``most`` bytes, or its sender went away.
    """
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > most:
        raise HttpError(413, f"the body is larger than {most:,} bytes; send fewer rows")
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpError(400, "the sender went away")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise HttpError(413, f"the body is larger than {most:,} bytes; send fewer rows")
    return b"".join(parts)


def answer_headers(answer: Answer) -> tuple[tuple[bytes, bytes], ...]:
    """All of them, the body's among them."""
    return (b"content-type", answer.content_type), (b"content-length", b"%d" % len(answer.body)), *answer.headers


async def send_answer(send: Send, answer: Answer) -> None:
    """Send it."""
    headers = list(answer_headers(answer))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
