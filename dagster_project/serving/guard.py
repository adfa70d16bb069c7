"""Who may call: bearer tokens with roles, and how often."""

import time

from dagster_project.serving.http import HttpError
from dagster_project.serving.rate import RateLimit
from dagster_project.serving.tokens import Tokens


class Guard:
    """Nobody needs a token where there are none (then the server listens on loopback only)."""

    def __init__(self, tokens: Tokens, rate: RateLimit | None) -> None:
        self._tokens, self._rate = tokens if tokens else None, rate

    def admit(self, headers: dict[bytes, bytes], client: tuple[str, int] | None, role: str) -> None:
        """Let a caller in.

        Raises:
            HttpError: 401 without a known token, 403 without the role, 429 too often.
        """
        holder = self._tokens.holder_of(headers.get(b"authorization")) if self._tokens is not None else None
        if self._rate is not None:
            caller = f"token {holder.name}" if holder else f"peer {client[0] if client else ''}"
            wait = self._rate.allow(caller, time.monotonic())
            if wait:
                raise HttpError(429, "too many requests; slow down", (b"retry-after", b"%d" % max(1, round(wait))))
        if self._tokens is None:
            return
        if holder is None:
            raise HttpError(401, "send a known token: Authorization: Bearer TOKEN", (b"www-authenticate", b"Bearer"))
        if role not in holder.roles:
            raise HttpError(403, f"this token may not do this; it needs the role {role}")
