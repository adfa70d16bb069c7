"""The verdict: one result type that judge writes and every report reads. ``decide.py`` makes it."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from .base import StrictModel


class Outcome(StrEnum):
    """How a check or gate ended. ``broken`` means that it did not run: it has not passed."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    NOT_APPLICABLE = "not_applicable"
    BROKEN = "broken"


class Finding(StrictModel):
    """What one check or gate found, in words and as data."""

    name: str
    source: Literal["contract", "compatibility", "deepchecks", "gate", "trust", "build", "spec", "monitoring"]
    outcome: Outcome
    summary: str
    hint: str = ""
    suite: str | None = None
    rows: str | None = Field(default=None, description="which were looked at: train, validation, holdout, dataset")
    value: str | None = None
    bound: str | None = None
    file: str | None = None
    line: int | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class Measurement(StrictModel):
    """A number that trusted code measured; its interval is two-sided at ``confidence``."""

    metric: str
    rows: str
    value: float
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    count: int = Field(default=0, description="rows measured")
    slice: str | None = None
    method: str = ""
    against: str | None = Field(default=None, description="whom a gain is over")


class Comparison(StrictModel):
    """Challenger minus champion on the same rows, signed so that a positive gain is better."""

    metric: str
    rows: str
    gain: float
    standard_error: float
    low: float = Field(description="one-sided lower confidence limit at level 1 - significance")
    significance: float
    count: int
    method: Literal["delong", "paired_bootstrap"]


class Measurements(StrictModel):
    """Everything that ``decide`` is given."""

    values: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    checks: tuple[Finding, ...] = Field(default=(), description="deepchecks' and the contract's findings")


class HoldoutUse(StrictModel):
    """How far the holdout's budget is spent. Detail of the holdout is never shown, rounded differences are."""

    holdout: str = Field(description="digest of the holdout's rows")
    rows: int
    judgements: int
    used: int
    counted: bool = Field(description="whether this judgement took one")
    significance: float = Field(description="5 % shared by the declared judgements")


class Subject(StrictModel):
    """What was judged."""

    kind: Literal["dataset", "model"]
    name: str


class Verdict(StrictModel):
    """The answer to: may this be merged, and may this challenger be promoted?"""

    schema_version: Literal[1] = 1
    subject: Subject
    outcome: Literal["passed", "failed", "broken"]
    promotable: bool = False
    reasons: tuple[str, ...] = Field(default=(), description="why it failed, or why it passed but is not promotable")
    findings: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = Field(default=(), description="train and validation rows only")
    comparisons: tuple[Comparison, ...] = Field(default=(), description="holdout gains rounded to their standard error")
    holdout: HoldoutUse | None = None
    challenger: str | None = Field(default=None, description="digest of the challenger's bundle")
    challenger_onnx: str | None = None
    champion: str | None = Field(default=None, description="digest of the champion's ONNX file")
    snapshot: str | None = None
    spec: str | None = Field(default=None, description="digest of the spec that judged")
    base: str | None = Field(default=None, description="commit whose rules judged")
    head: str | None = Field(default=None, description="commit that was judged")
    preview: bool = Field(default=False, description="no trusted launcher vouches for the build")
    loosened: tuple[str, ...] = ()
    facts: dict[str, Any] = Field(default_factory=dict, description="for the report: family, rows, cost, plots")

    @property
    def exit_code(self) -> int:
        """0 passed, 1 a gate said no, 3 something did not run."""
        return {"passed": 0, "failed": 1, "broken": 3}[self.outcome]
