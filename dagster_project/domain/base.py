"""What every domain value shares: strictness, canonical bytes and digests."""

import hashlib
import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


def canonical_json(value: Any) -> bytes:
    """Bytes that depend on the value alone: sorted keys, no spaces, no NaN (RFC 8785 in spirit)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest_of_bytes(data: bytes) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of(value: Any) -> str:
    """Digest of a JSON value's canonical bytes."""
    return digest_of_bytes(canonical_json(value))


class StrictModel(BaseModel):
    """A frozen value whose unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def content_digest(self) -> str:
        """Digest of the value's canonical JSON."""
        return digest_of(self.model_dump(mode="json"))

    def to_json(self) -> str:
        """Indented, key-sorted JSON with a final newline, for files that people read."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Inverse of :meth:`to_json`; raises pydantic's ``ValidationError``."""
        return cls.model_validate_json(text)
