"""A data contract as the rest of the system sees it: an ODCS 3 document, typed.

``odcs.py`` reads the YAML into these types; nothing else parses contracts.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from .base import StrictModel, digest_of
from .durations import Duration
from .families import Modality

Scalar = str | int | float | bool
PUBLIC = ("", "public", "internal")


class Role(StrEnum):
    """What a column is for (``threeacts.role``)."""

    ID = "id"
    EVENT_TIME = "event_time"
    LABEL = "label"
    WEIGHT = "weight"
    GROUP = "group"


class LogicalType(StrEnum):
    """ODCS logical types that a table's column may have."""

    STRING = "string"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    ARRAY = "array"


MOST_NUMBERS = 200_000
"""Of an image: 256 x 256 pixels in colour."""


class ImageForm(StrictModel):
    """What every image of a column is like (``threeacts.image``)."""

    width: int = Field(ge=1, le=1024, description="pixels")
    height: int = Field(ge=1, le=1024, description="pixels")
    channels: Literal[1, 3] = Field(description="1 is grey, 3 are red, green and blue")

    @model_validator(mode="after")
    def _bounded(self) -> "ImageForm":
        numbers = self.width * self.height * self.channels
        if numbers > MOST_NUMBERS:
            raise ValueError(f"{numbers:,} numbers an image, and at most {MOST_NUMBERS:,} are read: make them smaller")
        return self

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> "ImageForm":
        """From (height, width, channels)."""
        return cls.model_validate(dict(zip(("height", "width", "channels"), shape, strict=True)))


class SeriesForm(StrictModel):
    """The window that every row of a column holds (``threeacts.series``): its last step is the row's event time."""

    steps: int = Field(ge=2, le=10_000)
    frequency: Duration = Field(description="between two steps")
    season: Duration | None = Field(default=None, description="after which it begins again; None: it has none")

    @property
    def season_steps(self) -> int:
        """A season in steps; 1 where there is none, so that the last step stands for the next."""
        return round(self.season / self.frequency) if self.season else 1


class Column(StrictModel):
    """One property of the contract's schema object."""

    name: str
    logical_type: LogicalType
    physical_type: str | None = None
    description: str = ""
    required: bool = False
    unique: bool = False
    primary_key: bool = False
    classification: str | None = None
    unit: str | None = None
    enum: tuple[Scalar, ...] | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    exclusive_minimum: float | str | None = None
    exclusive_maximum: float | str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    role: Role | None = None
    modality: Modality | None = None
    language: str | None = Field(default=None, description="of a text, ISO 639-1")
    image: ImageForm | None = None
    series: SeriesForm | None = None
    horizon: timedelta | None = Field(default=None, description="of a label: how long after the event time it is")
    available_at: timedelta | None = Field(
        default=None, description="when the value becomes known, counted from the event time; negative is earlier"
    )
    line: int | None = Field(default=None, exclude=True)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what one row holds: () is one value, an image is (height, width, channels), a window (steps,)."""
        if self.image:
            return (self.image.height, self.image.width, self.image.channels)
        return (self.series.steps,) if self.series else ()

    @property
    def public(self) -> bool:
        """Whether values may stand in logs and reports, by the ODCS classification."""
        return (self.classification or "").lower() in PUBLIC


class Rule(StrictModel):
    """What is asserted, as data; ``data/rules.py`` executes it.

    ``scope`` row: rows that break it go to quarantine. ``scope`` dataset: the check fails.
    """

    name: str
    kind: Literal[
        "type", "required", "unique", "enum", "minimum", "maximum", "exclusive_minimum", "exclusive_maximum",
        "min_length", "max_length", "pattern", "null_values", "missing_values", "invalid_values", "duplicate_values",
        "row_count", "sql", "freshness", "relationship", "form", "encoding", "language", "gaps",
    ]  # fmt: skip
    scope: Literal["row", "dataset"]
    columns: tuple[str, ...] = ()
    operator: str | None = Field(default=None, description="an ODCS operator: mustBe, mustBeLessThan ...")
    value: Any = None
    unit: Literal["rows", "percent"] = "rows"
    arguments: dict[str, Any] = Field(default_factory=dict)
    severity: Literal["error", "warning"] = "error"
    line: int | None = Field(default=None, exclude=True)


class Server(StrictModel):
    """Where a source lies (an ODCS server entry), secrets left out."""

    name: str
    type: str
    environment: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class Derivation(StrictModel):
    """SQL beside the contract: the dataset is computed from other datasets."""

    sql: str
    inputs: tuple[str, ...]
    file: str = Field(exclude=True)
    line: int | None = Field(default=None, exclude=True, description="where the contract names its inputs")


class Condition(StrictModel):
    """One deepchecks condition that the contract or the spec declares (``threeacts.deepchecks``)."""

    suite: Literal["data_integrity", "train_test_validation", "model_evaluation"]
    check: str = Field(description="deepchecks' class name, for example FeatureDrift")
    condition: str | None = Field(default=None, description="such as drift_score_less_than; None: the default")
    parameters: dict[str, Any] = Field(default_factory=dict)
    arguments: dict[str, Any] = Field(default_factory=dict, description="of the check itself: columns, n_samples ...")
    severity: Literal["error", "warning"] = "error"


class DataContract(StrictModel):
    """One dataset's promise: columns, rules, where it comes from, who owns it."""

    name: str
    id: str
    version: str
    status: str
    description: str = ""
    owners: tuple[str, ...] = ()
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    servers: tuple[Server, ...] = ()
    physical_name: str | None = Field(default=None, description="the table's name in a database; None: the dataset's")
    derivation: Derivation | None = None
    conditions: tuple[Condition, ...] = ()
    label_delay: timedelta | None = None
    frequency: timedelta | None = Field(default=None, description="between two rows of an entity")
    file: str = Field(exclude=True)

    @property
    def column_names(self) -> tuple[str, ...]:
        """In the contract's order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Raises ``KeyError`` for a name that the contract does not have."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def with_role(self, role: Role) -> tuple[Column, ...]:
        """The columns that play ``role``."""
        return tuple(column for column in self.columns if column.role == role)

    def data_digest(self) -> str:
        """Digest of what the dataset's rows and their checks depend on: not descriptions, owners or status."""
        wording = {"name", "id", "version", "status", "description", "owners", "conditions", "label_delay"}
        fields = self.model_dump(mode="json", exclude=wording)
        for column in fields["columns"]:
            column.pop("description")
        return digest_of(fields)
