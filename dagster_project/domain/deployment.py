"""What shall be served, what is, and what was rejected. The desired state is data: servers make it so."""

from collections.abc import Container
from datetime import datetime, timedelta
from math import prod
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from .base import StrictModel
from .bundle import BundleManifest
from .contract import Column, DataContract, Role, Scalar
from .families import Modality, Task
from .lock import ChampionLock
from .rollout import Place
from .serving import Serving
from .spec import ModelSpec

DESIRED = "deployments/desired"
"""The store's reference to the desired state: ``{"digest": of its blob, "commit": ..., "previous": digest}``."""
WHITE = 255.0
"""Of a pixel's channel."""
STALE_AFTER = timedelta(seconds=15)
"""A server whose report is older is taken for dead."""


class ServedInput(StrictModel):
    """One tensor that a client sends: a contract column, of shape (rows, width), and what the contract says of it."""

    name: str
    dtype: Literal["float32", "string"]
    width: int = Field(default=1, ge=1)
    shape: tuple[int, ...] = Field(default=(), description="in which a row's numbers may come, beside all in one line")
    logical_type: str = "number"
    modality: Modality = "tabular"
    description: str = ""
    unit: str | None = None
    required: bool = False
    enum: tuple[Scalar, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    restricted: bool = Field(default=False, description="hashed where it is logged")


class DesiredModel(StrictModel):
    """One champion, with all that a server needs to answer for it but the bundle itself."""

    name: str
    description: str
    owners: tuple[str, ...]
    task: Task
    positive: Scalar | None = Field(default=None, description="the label that explanations of two classes speak of")
    lock: ChampionLock
    inputs: tuple[ServedInput, ...]
    unread: tuple[str, ...] = Field(default=(), description="other columns of the contract: clients may send them too")
    id_column: str | None = Field(default=None, description="the contract's id, which a client may send along")
    id_restricted: bool = Field(default=False, description="hashed where it is logged")
    time_column: str | None = Field(
        default=None, description="the contract's event time, which a client may send along and the log keeps"
    )
    serving: Serving = Serving()

    @property
    def onnx(self) -> str:
        """Digest of the bytes that answer."""
        return self.lock.onnx

    @property
    def lock_digest(self) -> str:
        """Which lock brought it: what versions and rejections name."""
        return self.lock.content_digest()


class DesiredState(StrictModel):
    """Model by name, as the locks of one commit say."""

    schema_version: Literal[1] = 1
    commit: str | None
    models: dict[str, DesiredModel] = Field(default_factory=dict)
    fallbacks: dict[str, DesiredModel] = Field(
        default_factory=dict, description="what answered before: for servers that start while its successor is on trial"
    )


class Version(StrictModel):
    """One loaded model on one server, and where it stands in its rollout."""

    onnx: str
    lock: str = Field(description="digest of the lock that brought it")
    place: Place
    answers: int = 0
    since: AwareDatetime


class ServedModel(StrictModel):
    """What a server does for one model: at most one live version and one on its way."""

    versions: tuple[Version, ...] = ()
    error: str | None = Field(default=None, description="why the desired version is not there")


class ServerReport(StrictModel):
    """What a server says of itself, every few seconds."""

    schema_version: Literal[1] = 1
    server: str
    address: str
    started: AwareDatetime
    written: AwareDatetime
    desired: str | None = Field(description="digest of the desired state that it has seen")
    models: dict[str, ServedModel] = Field(default_factory=dict)

    def is_fresh(self, now: datetime) -> bool:
        """Whether the server lives. A report from the future proves nothing either: the two clocks differ."""
        return abs(now - self.written) <= STALE_AFTER


class Rejection(StrictModel):
    """A rollout that crossed its bounds: these bytes are not deployed again until the lock changes."""

    schema_version: Literal[1] = 1
    model: str
    onnx: str
    lock: str
    place: Place
    reason: str
    observed: dict[str, Any]
    server: str
    at: AwareDatetime


def following(wanted: DesiredState, published: DesiredState | None, rejected: Container[str]) -> DesiredState:
    """``wanted`` with, for each model, the last other bytes that were served; ``rejected`` are digests of locks."""
    if published is None:
        return wanted
    found = {}
    for name, model in wanted.models.items():
        before = published.models.get(name)
        if before is None or before.onnx == model.onnx or before.lock_digest in rejected:
            before = published.fallbacks.get(name)
        if before is not None and before.onnx != model.onnx:
            found[name] = before
    return wanted.model_copy(update={"fallbacks": found})


def desired_model(
    spec: ModelSpec, contract: DataContract, lock: ChampionLock, manifest: BundleManifest
) -> DesiredModel:
    """A champion as servers shall serve it."""
    ids, times = contract.with_role(Role.ID), contract.with_role(Role.EVENT_TIME)
    unread = _unread(contract, manifest)
    return DesiredModel(
        name=spec.name,
        description=spec.description,
        owners=spec.owners,
        task=spec.task,
        positive=spec.positive,
        lock=lock,
        inputs=tuple(_input(contract.column(entry.name), entry.dtype) for entry in manifest.inputs),
        unread=unread,
        id_column=ids[0].name if ids else None,
        id_restricted=bool(ids) and not ids[0].public,
        time_column=times[0].name if times and times[0].public and times[0].name in unread else None,
        serving=spec.serving,
    )


def _unread(contract: DataContract, manifest: BundleManifest) -> tuple[str, ...]:
    """So that a client need not know which columns today's champion reads."""
    read = {entry.name for entry in manifest.inputs}
    return tuple(c.name for c in contract.columns if c.name not in read and c.role not in (Role.ID, Role.LABEL))


def _input(column: Column, dtype: Literal["float32", "string"]) -> ServedInput:
    def number(value: float | str | None) -> float | None:
        return float(value) if isinstance(value, int | float) else None

    low, high = (0.0, WHITE) if column.image else (number(column.minimum), number(column.maximum))
    return ServedInput(
        name=column.name,
        dtype=dtype,
        width=prod(column.shape),
        shape=column.shape,
        logical_type=column.logical_type.value,
        modality=column.modality or "tabular",
        description=column.description,
        unit=column.unit,
        required=column.required,
        enum=column.enum,
        minimum=low,
        maximum=high,
        max_length=column.max_length,
        restricted=not column.public,
    )
