"""What a verdict tells the report beside its numbers: small, plain data for tables and plots.

Judge fills it from train and validation rows alone (``Verdict.facts = Facts(...).model_dump(mode="json")``); nothing of
the holdout belongs here. Every part is optional: what is not there is not shown.
"""

from typing import Any

from pydantic import Field

from .base import StrictModel
from .bundle import Trial
from .explanation import ExplainedError
from .families import Task
from .headroom_report import HeadroomReport
from .lease import GpuUse
from .verdict import Measurement

Point = tuple[float, float]


class Curve(StrictModel):
    """A line in the unit square: an ROC curve (false positive rate, true positive rate), thinned to ~100 points."""

    name: str = Field(description="challenger or champion; multi-class: one curve a class")
    points: tuple[Point, ...]


class ReliabilityBin(StrictModel):
    """One bin of the reliability diagram (Guo et al. 2017): mean predicted probability against what happened."""

    predicted: float
    observed: float
    count: int


class Histogram(StrictModel):
    """Counts between consecutive edges, so there is one edge more than counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Importances(StrictModel):
    """Share of each raw column in the answers, by permutation on validation rows."""

    challenger: dict[str, float]
    champion: dict[str, float] = Field(default_factory=dict)


class ColumnDifference(StrictModel):
    """One column of a dataset, before and after the change. Shares are of the rows, between 0 and 1."""

    name: str
    what: str = Field(description="such as: added, removed, type integer -> number, mean 12.1 -> 13.0")
    nulls_before: float | None = None
    nulls_after: float | None = None
    new_categories: tuple[str, ...] = ()
    lost_categories: tuple[str, ...] = ()


class DatasetDifference(StrictModel):
    """What a change does to a dataset's rows, against the base branch's snapshot; None: there was none."""

    rows_before: int | None = None
    rows_after: int
    added: int | None = Field(default=None, description="rows whose content the base did not have")
    removed: int | None = None
    quarantined_before: int | None = None
    quarantined_after: int = 0
    columns: tuple[ColumnDifference, ...] = ()


class Cost(StrictModel):
    """What the compute cost, by the ledger."""

    amount: float
    currency: str = "USD"
    what: str = Field(default="", description="such as: 2 GPU nodes, 14 minutes")


class Facts(StrictModel):
    """The optional parts of ``Verdict.facts``."""

    task: Task | None = None
    family: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    champion_family: str | None = None
    champion: tuple[Measurement, ...] = Field(default=(), description="the champion's own, on train and validation")
    rows: dict[str, int] = Field(default_factory=dict, description="train, validation")
    search_metric: str | None = None
    trials: tuple[Trial, ...] = ()
    roc: tuple[Curve, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    residuals: Histogram | None = None
    importances: Importances | None = None
    headroom: HeadroomReport | None = Field(default=None, description="what the build says of the next gain")
    errors: tuple[ExplainedError, ...] = Field(default=(), description="the challenger's worst on validation rows")
    timings: dict[str, float] = Field(default_factory=dict, description="stage -> seconds")
    cost: Cost | None = None
    gpu: GpuUse | None = None
    difference: DatasetDifference | None = Field(default=None, description="of a contract verdict")

    @property
    def searched(self) -> tuple[Trial, ...]:
        """The trials without the baselines among them."""
        return tuple(trial for trial in self.trials if not trial.is_baseline)
