"""A snapshot: an immutable version of a dataset."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from .base import StrictModel


class Snapshot(StrictModel):
    """A Delta table at a version, named by what its rows are.

    ``digest`` depends on the rows and the columns' names and types alone: not on row order, file layout or
    library version.
    """

    schema_version: Literal[1] = 1
    dataset: str
    contract_version: str
    contract_digest: str = Field(description="DataContract.data_digest() of the contract it was made by")
    uri: str
    version: int = Field(ge=0)
    digest: str
    rows: int = Field(ge=0)
    quarantined: int = Field(default=0, ge=0)
    inputs: dict[str, str] = Field(default_factory=dict, description="derived: input dataset -> its snapshot's digest")
    files: int = Field(default=0, description="source: files read so far")
    created: datetime


class SplitRows(StrictModel):
    """Where one part of a split lies (Parquet), and which rows it holds."""

    uri: str
    digest: str
    rows: int
    labelled: int


class SplitResult(StrictModel):
    """The parts a build may see. The holdout is not among them."""

    snapshot: str = Field(description="the snapshot's digest")
    train: SplitRows
    validation: SplitRows
