"""What a model must do beside being right on average: tests of behaviour (Ribeiro et al. 2020), as data."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import StrictModel
from .contract import Scalar
from .families import Modality

Disturbance = Literal["shift", "noise", "typos", "capitals", "missing_steps", "jitter"]
DISTURBS: dict[Disturbance, Modality] = {
    "shift": "image", "noise": "image",
    "typos": "text", "capitals": "text",
    "missing_steps": "series", "jitter": "series",
}  # fmt: skip
"""What is disturbed: an image moves by a pixel, or has noise of 8 of 255; a text has a wrong letter in twenty, or none
but capitals; of a window one step in twenty is missing, or all have noise of a twentieth of its deviation."""


class Change(StrictModel):
    """What is done to each row: columns set to a value, numbers added, text appended."""

    set: dict[str, Scalar] = Field(default_factory=dict)
    add: dict[str, float] = Field(default_factory=dict)
    append: dict[str, str] = Field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it touches."""
        return (*self.set, *self.add, *self.append)


class Behaviour(StrictModel):
    """One test: rows that are changed and must answer alike, or more, or less; or given rows with their answer.

    What is looked at is the answered value, or the probability of ``of`` (the positive class).
    """

    name: str = Field(min_length=1)
    change: Change | None = None
    expect: Literal["same", "more", "less"] | None = Field(default=None, description="of a changed row's answer")
    of: Scalar | None = Field(default=None, description="the class whose probability is looked at")
    tolerance: float = Field(default=0.01, ge=0.0, description="that is still the same, or not less or more")
    share: Annotated[float, Field(gt=0.0, le=1.0)] = Field(default=0.95, description="of the rows it must hold for")
    rows: tuple[dict[str, Scalar], ...] = Field(default=(), description="columns that are left out are missing")
    answers: tuple[Scalar, ...] = Field(default=(), description="a class for each given row")

    @model_validator(mode="after")
    def _one_kind(self) -> "Behaviour":
        changed, given = self.change is not None, bool(self.rows)
        if changed == given or changed != (self.expect is not None) or len(self.rows) != len(self.answers):
            raise ValueError("write change and expect, or rows and as many answers")
        return self
