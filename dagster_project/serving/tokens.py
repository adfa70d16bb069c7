"""Who a caller is: bearer tokens (RFC 6750) with roles, known by their SHA-256 alone."""

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal, Self, get_args

from dagster_project.domain.errors import UsageError

Role = Literal["infer", "explain", "label", "admin"]
ROLES: frozenset[Role] = frozenset(get_args(Role))
VARIABLE = "ACTS_TOKENS"
SHORTEST = 16
"""Characters of a token: what is shorter can be guessed."""


@dataclass(frozen=True)
class Holder:
    """Whom a token was given to, and what it may do. The digest is shown nowhere."""

    name: str
    roles: frozenset[Role]
    digest: bytes = field(repr=False)


class Tokens:
    """All that is known of the tokens. False where none is."""

    def __init__(self, holders: Iterable[Holder] = ()) -> None:
        self._holders = tuple(holders)

    @classmethod
    def load(cls, path: Path | None, environ: Mapping[str, str]) -> Self:
        """The tokens of a file and of ``ACTS_TOKENS`` (``role:token,role:token``) together.

        Raises:
            UserFileError: the file is wrong, or others may read it.
            UsageError: there is no such file, or ``ACTS_TOKENS`` is wrong.
        """
        from dagster_project.serving.token_file import read_tokens

        return cls((*(read_tokens(path) if path else ()), *_from_environment(environ.get(VARIABLE, ""))))

    def holder_of(self, authorization: bytes | None) -> Holder | None:
        """Who sent ``Authorization: Bearer TOKEN``; None where the header is missing, odd, or its token unknown.

        Every entry is compared, each in constant time, so that time says nothing of how near a guess was. Entries
        with the same token share their roles.
        """
        scheme, _, token = (authorization or b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        digest = sha256(token.strip(b" \t")).digest()
        found = [holder for holder in self._holders if hmac.compare_digest(holder.digest, digest)]
        if not found:
            return None
        roles = frozenset(role for holder in found for role in holder.roles)
        return Holder(found[0].name, ROLES if "admin" in roles else roles, digest)

    def roles_of(self, authorization: bytes | None) -> frozenset[Role]:
        """What the caller may do, as :meth:`holder_of` finds; ``admin`` may do everything."""
        holder = self.holder_of(authorization)
        return holder.roles if holder else frozenset()

    def __bool__(self) -> bool:
        return bool(self._holders)

    def __repr__(self) -> str:
        return f"Tokens({', '.join(holder.name for holder in self._holders)})"


def may_listen(host: str, tokens: Tokens) -> None:
    """Nothing that others can reach is served without tokens.

    Raises:
        UsageError: ``host`` is not this machine's loopback (127.0.0.0/8, ::1, localhost), and no token is known.
    """
    if not tokens and not is_loopback(host):
        raise UsageError(
            f"'{host}' can be reached from elsewhere, and no tokens are known. "
            f"Name a file of them with --tokens, set {VARIABLE}, or listen on 127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    """Whether ``host`` can be reached from this machine alone. Names other than localhost may lead anywhere."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _from_environment(text: str) -> list[Holder]:
    entries = [entry.strip() for entry in text.split(",")] if text.strip() else []
    return [_entry(place, entry) for place, entry in enumerate(entries, start=1)]


def _entry(place: int, entry: str) -> Holder:
    """Messages name the place, and nothing of what stands there: it may be a token."""
    role, _, token = entry.partition(":")
    known = next((name for name in ROLES if name == role.strip()), None)
    token = token.strip()
    if known is None or not token:
        raise UsageError(f"{VARIABLE}: entry {place} is no role:token. A role is one of {', '.join(get_args(Role))}.")
    if len(token) < SHORTEST:
        raise UsageError(f"{VARIABLE}: the token of entry {place} is shorter than {SHORTEST} characters.")
    return Holder(f"{VARIABLE}[{place}]", frozenset({known}), sha256(token.encode()).digest())
