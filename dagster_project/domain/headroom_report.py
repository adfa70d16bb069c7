"""``headroom.json`` of a bundle: what more rows, each source and cleaner labels would give. Claims of the build.

A gain is signed so that a positive one is better, whichever way the metric runs. Intervals are at 95 %.
"""

from typing import Annotated, Literal

from pydantic import Field

from .base import StrictModel
from .families import Task

Text = Annotated[str, Field(max_length=400)]
Named = Text | int | float | bool | None
MOST_ROWS = 50


class Interval(StrictModel):
    """A value between its 95 % limits."""

    value: float
    low: float
    high: float


class CurvePoint(StrictModel):
    """The candidate fitted on ``rows`` train rows, measured on the validation rows."""

    rows: int
    metric: Interval | None = Field(default=None, description="None: there is none, and ``absent`` says why")
    seconds: float = 0.0
    absent: Text = ""


class LearningCurve(StrictModel):
    """The metric over train rows, and what a power law makes of twice the rows (Viering and Loog 2021)."""

    taken: Literal["most recent", "drawn"] = Field(description="which rows a share of them is")
    points: tuple[CurvePoint, ...] = Field(max_length=16)
    doubled: Interval | None = Field(default=None, description="gain from twice the rows; None: ``absent`` says why")
    negligible: float | None = Field(default=None, description="a gain that is none")
    absent: Text = ""


class SourceLoss(StrictModel):
    """What is lost when the columns of a source are left out and the candidate is fitted again on the same rows."""

    name: Text
    columns: tuple[Text, ...] = Field(max_length=2000)
    loss: Interval | None = Field(default=None, description="paired, over validation rows; positive: it is needed")
    seconds: float = 0.0
    absent: Text = ""


class SourceLosses(StrictModel):
    """Each source, the dearest first."""

    sources: tuple[SourceLoss, ...] = Field(default=(), max_length=64)
    untold: tuple[Text, ...] = Field(default=(), max_length=2000, description="columns whose source nothing tells")
    absent: Text = ""


class SuspectRow(StrictModel):
    """A train row whose label the model contradicts. ``margin``: see the kind of noise that it stands in."""

    id: dict[Text, Named] = Field(max_length=16, description="public id columns")
    given: Named
    expected: Named = Field(description="the class, or the value, that models fitted on other rows answer")
    margin: float


class LabelNoise(StrictModel):
    """Confident learning over out-of-fold answers (Northcutt, Jiang and Chuang 2021).

    ``joint_share`` of the labels stand off the diagonal of the confident joint. A model as unsure as this one puts
    ``expected_share`` there when every label is right. ``share`` is the floor of disagreement that is left where the
    model is surest; ``suspected`` where it also explains most of what the model gets wrong: hard labels are not wrong
    ones. Regression has rows by standardised residual, and no share: heavy tails and wrong values look alike.
    """

    rows: int = 0
    folds: int = 0
    kind: Literal["classes", "residuals"] = "classes"
    disagreement: float | None = Field(default=None, description="share of labels that are not the model's answer")
    thresholds: dict[Text, float] = Field(default_factory=dict, max_length=256, description="by class")
    joint: tuple[tuple[int, ...], ...] = Field(default=(), max_length=256, description="given class x expected class")
    joint_share: float | None = None
    expected_share: float | None = None
    share: Interval | None = None
    suspected: bool = False
    suspects: tuple[SuspectRow, ...] = Field(
        default=(), max_length=MOST_ROWS, description="margin: probability of the label minus the best other's; or z"
    )
    unlisted: Text = Field(default="", description="why no row is named")
    seconds: float = 0.0
    absent: Text = ""


class HeadroomReport(StrictModel):
    """All three, for one candidate. What was not asked for is None; what could not be done says why."""

    schema_version: Literal[1] = 1
    task: Task
    family: Text
    metric: Text
    rows: int = Field(description="train rows")
    validation: int = Field(description="validation rows")
    curve: LearningCurve | None = None
    sources: SourceLosses | None = None
    noise: LabelNoise | None = None
    seconds: float = 0.0
