"""Gates: what a model must reach, as data. ``verdict.decide`` holds measurements against them."""

from typing import Annotated, Literal

from pydantic import Field

from .base import StrictModel
from .behaviour import Behaviour, Disturbance
from .contract import Condition
from .families import Task

Rows = Literal["train", "validation", "holdout"]
Suite = Literal["data_integrity", "train_test_validation", "model_evaluation"]
Severity = Literal["error", "warning"]


class BoundGate(StrictModel):
    """The metric's confidence interval must lie on the right side of the bound, whole."""

    kind: Literal["bound"]
    metric: str
    rows: Literal["validation", "holdout"] = "holdout"
    minimum: float | None = None
    maximum: float | None = None
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    severity: Severity = "error"


class ChampionGate(StrictModel):
    """Challenger against champion, paired on the same rows.

    superiority: the gain must exceed ``margin``. non_inferiority: the loss must stay below ``margin``.
    A gain is positive when the challenger is better, whichever way the metric runs.
    """

    kind: Literal["champion"]
    metric: str
    rows: Literal["validation", "holdout"] = "holdout"
    test: Literal["superiority", "non_inferiority"] = "superiority"
    margin: float = Field(default=0.0, ge=0.0)
    severity: Severity = "error"


class SlicesGate(StrictModel):
    """No slice of the validation rows may be worse than the whole by more than ``maximum_drop``, interval included."""

    kind: Literal["slices"]
    metric: str
    by: tuple[str, ...] = Field(min_length=1)
    maximum_drop: float = Field(gt=0.0)
    minimum_rows: int = Field(default=200, ge=30)
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    severity: Severity = "error"


class BaselineGate(StrictModel):
    """On the validation rows the model surely loses less than each baseline, in log loss or root mean squared error.

    The baselines: what the train labels are on the whole; of a series, what was a season ago; of images, a linear model
    of a few grey fields.
    """

    kind: Literal["baseline"]
    severity: Severity = "error"


class NearDuplicatesGate(StrictModel):
    """At most this share of the validation rows has a near-duplicate of its text or image in the train rows."""

    kind: Literal["near_duplicates"]
    maximum: float = Field(gt=0.0, lt=1.0)
    severity: Severity = "error"


class RobustnessGate(StrictModel):
    """The metric drops by at most ``maximum_drop`` where images, texts or windows are disturbed a little."""

    kind: Literal["robustness"]
    metric: str
    changes: tuple[Disturbance, ...] = Field(min_length=1)
    maximum_drop: float = Field(gt=0.0)
    severity: Severity = "error"


class BehaviourGate(StrictModel):
    """Every test of behaviour holds for its share of the rows."""

    kind: Literal["behaviour"]
    tests: tuple[Behaviour, ...] = Field(min_length=1)
    severity: Severity = "error"


class CalibrationGate(StrictModel):
    """Expected calibration error over ten equal-count bins of the validation rows (Guo et al. 2017)."""

    kind: Literal["calibration"]
    maximum: float = Field(gt=0.0, lt=1.0)
    severity: Severity = "error"


class DeepchecksGate(StrictModel):
    """Every check of the suites must pass, or stand in ``allow`` with nothing worse than a warning."""

    kind: Literal["deepchecks"]
    suites: tuple[Suite, ...] = Field(min_length=1)
    allow: tuple[str, ...] = Field(default=(), description="checks whose failure only warns")
    conditions: tuple[Condition, ...] = Field(
        default=(), description="what this model's checks must hold, instead of deepchecks' or the contract's own"
    )
    severity: Severity = "error"


class ParityGate(StrictModel):
    """Largest difference between the estimator's answers and the ONNX file's, as the build measured it.

    A build's claim can only make a verdict fail.
    """

    kind: Literal["parity"]
    maximum: float = Field(default=1e-5, gt=0.0, le=1e-5)
    severity: Severity = "error"


class LatencyGate(StrictModel):
    """Median milliseconds of one call with ``batch`` rows, one thread, after warm-up."""

    kind: Literal["latency"]
    maximum_ms: float = Field(gt=0.0)
    batch: int = Field(default=1, ge=1, le=10_000)
    severity: Severity = "error"


class SizeGate(StrictModel):
    """Size of the ONNX file in megabytes (10**6 bytes)."""

    kind: Literal["size"]
    maximum_mb: float = Field(gt=0.0)
    severity: Severity = "error"


Gate = Annotated[
    BoundGate
    | ChampionGate
    | BaselineGate
    | NearDuplicatesGate
    | RobustnessGate
    | BehaviourGate
    | SlicesGate
    | CalibrationGate
    | DeepchecksGate
    | ParityGate
    | LatencyGate
    | SizeGate,
    Field(discriminator="kind"),
]


class Floor(StrictModel):
    """``models/floor.yaml``: gates that every model of a task must pass, kept by the code owners."""

    schema_version: Literal[1] = 1
    every: tuple[Gate, ...] = ()
    tasks: dict[Task, tuple[Gate, ...]] = Field(default_factory=dict)

    def gates_for(self, task: Task) -> tuple[Gate, ...]:
        """The floor's gates for a task, those for every task first."""
        return self.every + self.tasks.get(task, ())


def title(gate: Gate) -> str:
    """A short, stable name for a gate, used in verdicts, reports and annotations."""
    match gate:
        case BoundGate():
            return f"{gate.metric} on {gate.rows}"
        case ChampionGate():
            return f"{gate.metric} against the champion on {gate.rows} ({gate.test.replace('_', '-')})"
        case SlicesGate():
            return f"{gate.metric} by {', '.join(gate.by)}"
        case RobustnessGate():
            return f"{gate.metric} under {', '.join(gate.changes)}"
        case DeepchecksGate():
            return f"deepchecks {', '.join(gate.suites)}"
        case LatencyGate():
            return f"latency of {gate.batch} row" + ("s" if gate.batch > 1 else "")
        case _:
            return gate.kind
