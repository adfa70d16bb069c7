"""``models/NAME/champion.lock.yaml``: the reviewed file that says which bytes are champion."""

from typing import Any, Literal

from pydantic import Field

from .base import StrictModel

Digest = str


class LockedMetric(StrictModel):
    """A champion's own metric, from the validation rows, with its 95 % interval."""

    value: float
    low: float
    high: float


class ChampionLock(StrictModel):
    """Small, sorted, readable. Only ``acts promote`` writes it."""

    schema_version: Literal[1] = 1
    model: str
    onnx: Digest
    bundle: Digest
    snapshot: Digest
    spec: Digest = Field(description="digest of the spec's training part")
    code: Digest
    environment: Digest
    build_key: Digest
    commit: str | None = Field(description="commit that was built")
    family: str
    parameters: dict[str, Any]
    metrics: dict[str, LockedMetric]
    verdict: Digest
    replaces: Digest | None = Field(description="ONNX digest of the champion before")
