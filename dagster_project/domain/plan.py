"""The plan: what a change touches, why, what is reused and what it may cost. ``planning.py`` makes it."""

from typing import Literal

from pydantic import Field

from .base import StrictModel
from .estimates import Estimate
from .verdict import Finding

Bump = Literal["none", "patch", "minor", "major"]
Perspective = Literal["breaking", "warning", "safe"]


class Change(StrictModel):
    """One semantic difference between base and head."""

    file: str
    line: int | None = None
    subject: str = Field(description="a dataset's or a model's name")
    kind: Literal["contract", "derivation", "spec", "lock", "floor", "code"]
    what: str
    consumer: Perspective = "safe"
    producer: Perspective = "safe"
    bump: Bump = "none"
    effect: Literal["rebuild", "rejudge", "none"] = "none"
    loosens: bool = False


class PlanStep(StrictModel):
    """One thing to do, in order."""

    action: Literal["build", "judge"]
    kind: Literal["dataset", "model"]
    name: str
    reasons: tuple[str, ...]
    reused: bool = Field(default=False, description="the build is expected to be there already")
    seconds: float | None = Field(default=None, description="estimated from the ledger; None: no history")
    cost: Estimate | None = Field(default=None, description="of the machines; None: they cost nothing")


class Plan(StrictModel):
    """What a pull request will do. Printing it costs nothing; ``acts pr`` does what it says and nothing else."""

    schema_version: Literal[1] = 1
    base: str
    head: str
    changes: tuple[Change, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    findings: tuple[Finding, ...] = Field(default=(), description="compatibility, bumps, loosening, edited locks")
    reached: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="breaking dataset -> models")

    @property
    def refused(self) -> bool:
        """Whether something is wrong before anything is built."""
        return any(finding.outcome in ("failed", "broken") for finding in self.findings)
