"""What goes into a build and what comes out of it, as files between programs."""

from typing import Literal

from pydantic import Field

from .base import StrictModel
from .families import Modality
from .lease import GpuUse, LeaseEnd
from .snapshot import Snapshot, SplitResult
from .spec import ModelSpec
from .verdict import Finding


class BuildRequest(StrictModel):
    """Input of the training program: everything it may know. There is no holdout in it."""

    schema_version: Literal[1] = 1
    spec: ModelSpec
    snapshot: Snapshot
    split: SplitResult
    numeric: tuple[str, ...] = Field(description="feature columns that are numbers, in the spec's order")
    categorical: tuple[str, ...] = Field(description="feature columns of strings or booleans, in the spec's order")
    modalities: dict[str, Modality] = Field(
        default_factory=dict, description="of what is not just a number or category"
    )
    shapes: dict[str, tuple[int, ...]] = Field(default_factory=dict, description="of columns of many numbers a row")
    horizon: int = Field(default=0, description="steps of a series from its last to the target")
    season: int = Field(default=1, description="steps after which a series begins again")
    restricted: tuple[str, ...] = Field(default=(), description="feature columns whose values no file may show")
    sources: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="feature columns by source")
    identifiers: tuple[str, ...] = Field(default=(), description="public id columns, by which train rows may be named")
    build_key: str
    code_digest: str
    environment_digest: str
    store: str = Field(description="URI of the artifact store")
    result: str = Field(description="path or URI where the training program writes its TrainingResult")
    checkpoints: str | None = Field(default=None, description="URI for training's state, epoch by epoch; None: none")
    cpus: int = Field(default=2, description="cores of this machine, where trials run on it")
    memory: int | None = Field(default=None, description="bytes that rows may take; larger ones are streamed")
    ends: float | None = Field(default=None, description="when the lease ends, in seconds since 1970")


class TrainingResult(StrictModel):
    """Output of the training program."""

    bundle: str
    onnx: str
    family: str
    value: float
    trials: int
    failed: int
    seconds: dict[str, float] = Field(default_factory=dict, description="ray, search, refit, export, parity ...")
    gpu: GpuUse | None = Field(default=None, description="of the best trial's training")


class BuildResult(StrictModel):
    """Output of ``acts build``: the file, not the exit code, says what happened."""

    schema_version: Literal[1] = 1
    kind: Literal["dataset", "model"]
    name: str
    outcome: Literal["built", "reused", "failed"]
    snapshot: Snapshot | None = None
    bundle: str | None = None
    build_key: str | None = None
    findings: tuple[Finding, ...] = ()
    run: str | None = None
    shared: bool = Field(default=False, description="the run is in the team's Dagster, not on one machine alone")
    seconds: float = 0.0
    stages: dict[str, float] = Field(default_factory=dict)
    lease: LeaseEnd | None = Field(default=None, description="what it took; None where nothing was trained")
