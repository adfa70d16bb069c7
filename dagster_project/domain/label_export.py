"""What people said, written as files that a contract reads like any other source."""

from typing import Literal

from pydantic import Field

from .base import StrictModel


class LabelExport(StrictModel):
    """One export of human labels."""

    schema_version: Literal[1] = 1
    model: str
    file: str | None = Field(description="the new file; None where nothing was new")
    labels: int = Field(default=0, description="ids with a new or another label")
    split: int = Field(default=0, description="ids whose people do not agree: they have no label until more do")
    without_id: int = Field(default=0, description="labelled rows that were answered without the contract's id")
