"""A bundle: what a build leaves. Its claims can make a verdict fail, never pass."""

from math import prod
from typing import Any, Literal, TypeAlias

from pydantic import Field

from .base import StrictModel
from .families import Modality, Task

MANIFEST = "bundle.json"
MODEL = "model.onnx"
TRIALS = "trials.json"
PARITY = "parity.json"
REFERENCE = "reference.json"
HEADROOM = "headroom.json"
REQUIRED = (MODEL, TRIALS, PARITY, REFERENCE)
FILES = (*REQUIRED, HEADROOM)
"""Every file that a bundle may hold; it must hold those required."""
MAX_FILE_BYTES = 512 * 1024 * 1024

Cell: TypeAlias = float | str | tuple[float | None, ...] | None
"""What one row has in one input: a number, a text, the numbers of a wide input; None is missing."""


class BundleFile(StrictModel):
    """One file of the bundle."""

    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    size: int = Field(ge=0, le=MAX_FILE_BYTES)


class Input(StrictModel):
    """One raw contract column that the graph takes, as a tensor of shape (rows, width)."""

    name: str
    dtype: Literal["float32", "string"]
    modality: Modality = "tabular"
    shape: tuple[int, ...] = Field(default=(), description="of what a row has: (height, width, channels) or (steps,)")

    @property
    def width(self) -> int:
        """How many numbers a row has; an image's are 0 to 255, row by row, a pixel's channels together."""
        return prod(self.shape)


BASELINE_FAMILY = "baseline"
"""Trials of this family are what every other has to beat; none of them becomes a model."""


class Trial(StrictModel):
    """One fit of the search. A failed trial is kept, with its reason."""

    number: int
    family: str
    parameters: dict[str, Any]
    status: Literal["completed", "stopped", "failed"]
    value: float | None = Field(description="the search metric on the validation rows")
    seconds: float
    steps: int = Field(default=1, description="epochs for what trains in steps")
    error: str | None = None

    @property
    def is_baseline(self) -> bool:
        """Whether it is there for the others to beat."""
        return self.family == BASELINE_FAMILY

    @property
    def title(self) -> str:
        """For people: its number and family, or what a baseline answers."""
        answers = self.parameters.get("answers", "of a kind of its own")
        return f"baseline: {answers}" if self.is_baseline else f"trial {self.number} {self.family}"


class Parity(StrictModel):
    """The exported graph held against the estimator, on validation rows and planted rows."""

    maximum_difference: float
    flipped_labels: int = Field(description="labels that differ outside ties")
    rows: int
    planted: tuple[str, ...] = Field(description="kinds of planted rows: missing, unseen_category ...")


class Example(StrictModel):
    """One validation row and what the graph answered to it. Values of a column that is not public are missing."""

    inputs: dict[str, Cell]
    outputs: dict[str, Any] = Field(description="label and probabilities, or value")


class Reference(StrictModel):
    """``reference.json``: what a server holds the loaded graph against, and what its answers are explained against."""

    examples: tuple[Example, ...] = Field(description="one for each class that the graph answers")
    background: dict[str, tuple[Cell, ...]] = Field(description="training rows, by column")


class Streamed(StrictModel):
    """How train rows streamed that memory did not hold: whoever trains again has to stream them alike."""

    memory: int = Field(description="bytes that prepared rows might take")
    cpus: int = Field(description="trials that shared them")


ROWS_A_RUN: dict[Modality, int] = {"tabular": 50_000, "series": 5_000, "text": 500, "image": 500}


class BundleManifest(StrictModel):
    """``bundle.json``: written last, so a folder without it is no bundle. Its content digest is the bundle's."""

    schema_version: Literal[1] = 1
    model: str
    task: Task
    target: str
    family: str
    parameters: dict[str, Any]
    features: tuple[str, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...] = Field(description="label and probabilities, or value")
    classes: tuple[str | int | bool, ...] = Field(default=(), description="in the order of the probability columns")
    dataset: str
    contract_version: str
    snapshot: str
    build_key: str
    training_digest: str
    code_digest: str
    environment_digest: str
    seed: int
    rows: dict[str, int] = Field(description="train and validation rows used; sampled: those behind the preparation")
    streamed: Streamed | None = None
    importances: dict[str, float] = Field(default_factory=dict, description="claim: share of each raw column")
    claims: dict[str, float] = Field(default_factory=dict, description="the build's own metrics on validation rows")
    parity: Parity
    files: dict[str, BundleFile]

    @property
    def rows_a_run(self) -> int:
        """How many rows the graph is given at once: of a text or an image it makes thousands of columns."""
        return min(ROWS_A_RUN[entry.modality] for entry in self.inputs) if self.inputs else ROWS_A_RUN["tabular"]

    @property
    def onnx_digest(self) -> str:
        """Digest of the model's bytes."""
        return self.files[MODEL].digest


class Provenance(StrictModel):
    """What the trusted launcher wrote down about a build: without it a bundle gets a preview verdict only."""

    schema_version: Literal[1] = 1
    bundle: str
    build_key: str
    model: str
    commit: str | None
    dirty: bool = False
    snapshot: str
    environment: str
    run: str
    launcher: str
