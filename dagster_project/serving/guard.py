"""Who may call: bearer tokens with roles, and how often."""

import re
import time

from dagster_project.serving.http import HttpError
from dagster_project.serving.rate import RateLimit
from dagster_project.serving.tokens import Holder, Tokens, is_loopback

LABEL = "label"  # the one role that changes anything


class Guard:
    """Nobody needs a token where there are none (then the server listens on loopback only)."""

    def __init__(self, tokens: Tokens, rate: RateLimit | None) -> None:
        self._tokens, self._rate = tokens if tokens else None, rate

    def admit(self, headers: dict[bytes, bytes], client: tuple[str, int] | None, role: str) -> Holder | None:
        """Let a caller in, and say who it is; None where nobody needs a token.

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
            if role == LABEL and is_foreign(headers):
                raise HttpError(403, "a page of another site sent this; labels are taken from this server's own pages")
            return None
        if holder is None:
            raise HttpError(401, "send a known token: Authorization: Bearer TOKEN", (b"www-authenticate", b"Bearer"))
        if role not in holder.roles:
            raise HttpError(403, f"this token may not do this; it needs the role {role}")
        return holder


def is_foreign(headers: dict[bytes, bytes]) -> bool:
    """Whether a browser sends this for a page that is not ours.

    Any page may send to loopback, though it can't read the answer (CSRF), and one may take our address for its name
    (DNS rebinding). Browsers say with ``Origin`` whose page it is; other clients send none. A token, where there are
    some, is nothing that a browser adds by itself.
    """
    origin, host = headers.get(b"origin"), headers.get(b"host", b"").decode("latin-1")
    if origin is None:
        return False
    name = re.sub(r":\d*$", "", host).strip("[]")
    return origin.decode("latin-1").partition("://")[2] != host or not is_loopback(name)
