"""``monitoring:`` of a spec: how a deployed champion is watched with what really happened. Off until switched on."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .base import StrictModel
from .cron import Cron as Times

Positive = Annotated[timedelta, Field(gt=timedelta(0))]
Part = Annotated[float, Field(ge=0.0, le=1.0)]


def _fires(text: str) -> str:
    Times.parse(text)
    return text


Cron = Annotated[
    str,
    Field(pattern=r"^\S+ \S+ \S+ \S+ \S+$", description="minute hour day month weekday, UTC"),
    AfterValidator(_fires),
]
AlertSeverity = Literal["warning", "error"]
DriftCheck = Literal["FeatureDrift", "PredictionDrift", "LabelDrift", "MultivariateDrift"]
Season = Literal["month", "weekday", "hour"]


class Switched(StrictModel):
    """A part that Dagster does by itself once it is on; by hand (``acts monitor``) it can be done at any time."""

    on: bool = False
    schedule: Cron = "0 5 * * *"


class Labels(Switched):
    """Ground truth: labels of the contract's dataset, and those that clients and people send, joined to answers."""

    schedule: Cron = "0 * * * *"
    contract: bool = Field(default=True, description="take the labels of the model's own dataset, joined by its id")
    maturity: Positive | None = Field(
        default=None, description="age at which a day's labels count as there; default: the contract's label_delay"
    )
    horizon: Positive = Field(default=timedelta(days=400), description="older answers get no more labels")


class PerformanceBound(StrictModel):
    """A matured window alarms when the whole 95 % interval lies on the wrong side."""

    metric: str
    minimum: float | None = None
    maximum: float | None = None


class Performance(Switched):
    """Metrics on matured windows, with intervals, by slice and digest; estimated where labels are missing."""

    window: Positive = Field(default=timedelta(days=7), description="answers of so long are looked at together")
    metrics: tuple[str, ...] = Field(default=(), description="default: those of the task that reports show")
    slices: tuple[str, ...] = Field(default=(), description="columns of the model's inputs")
    minimum_rows: int = Field(default=200, ge=20, description="a window or slice with fewer says nothing")
    bounds: tuple[PerformanceBound, ...] = ()
    severity: AlertSeverity = "error"


class Drift(Switched):
    """Windows of inputs, outputs and labels against the rows that the champion learned from."""

    window: Positive = timedelta(days=7)
    checks: tuple[DriftCheck, ...] = ("FeatureDrift", "PredictionDrift", "LabelDrift")
    columns: tuple[str, ...] = Field(default=(), description="default: every column that the model reads")
    season: tuple[Season, ...] = Field(
        default=(), description="like with like: reference rows in the window's mix of these parts of the time"
    )
    alarms: float = Field(default=0.01, gt=0.0, le=0.2, description="share of windows without drift that may alarm")
    minimum_rows: int = Field(default=500, ge=50)
    most_rows: int = Field(default=5000, ge=100, description="a sample of so many stands for a larger window")
    severity: AlertSeverity = "warning"


class Explanations(Switched):
    """What the champion looks at in production, held against what it looked at when it was judged."""

    schedule: Cron = "0 6 1 * *"
    window: Positive = timedelta(days=30)
    rows: int = Field(default=500, ge=50, le=10_000, description="a sample of so many answers is explained")


class Review(Switched):
    """What people are asked: the least certain answers, and a random audit share by which the bias is seen."""

    budget: int = Field(default=50, ge=1, le=10_000, description="rows each time")
    audit: Part = Field(default=0.2, description="share of the budget drawn at random")
    twice: Part = Field(default=0.1, description="share of the rows that two people label, for their agreement")
    age: Positive = Field(default=timedelta(days=30), description="older answers are not asked about")
    columns: tuple[str, ...] = Field(default=(), description="shown on the page; default: every public input")
    question: str = Field(default="", description="what the page asks; default: the contract's words on the target")


class Monitoring(StrictModel):
    """What becomes of answers. Each part has a switch of its own."""

    labels: Labels = Labels()
    performance: Performance = Performance()
    drift: Drift = Drift()
    explanations: Explanations = Explanations()
    review: Review = Review()
