"""``models/NAME/spec.yaml``: everything a model is allowed to be, in one strict document."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from .base import StrictModel, digest_of
from .compute import Compute
from .experiment import Experiment
from .families import Distribution, Task
from .gates import Gate
from .headroom import Headroom
from .monitoring import Monitoring
from .serving import Serving

Share = Annotated[float, Field(gt=0.0, lt=0.5)]
Positive = Annotated[timedelta, Field(gt=timedelta(0))]
NumericTransform = Literal["standard", "min_max", "robust", "none"]
CategoricalTransform = Literal["one_hot", "ordinal"]
TextTransform = Literal["words", "characters"]
ImageTransform = Literal["pooled", "pixels"]


class ContractReference(StrictModel):
    """Which dataset the model reads, and which of its versions (a PEP 440 range such as ``>=1.0,<2``)."""

    name: str
    version: str


class Selection(StrictModel):
    """Feature selection, searched with the rest: each trial keeps one of the shares of the prepared columns."""

    method: Literal["none", "univariate", "model"] = "none"
    keep: tuple[Annotated[float, Field(gt=0.0, le=1.0)], ...] = (1.0,)


class Features(StrictModel):
    """Which contract columns the model reads and how each is prepared."""

    include: tuple[str, ...] = Field(min_length=1)
    exclude: tuple[str, ...] = ()
    transforms: dict[str, NumericTransform | CategoricalTransform | TextTransform | ImageTransform] = Field(
        default_factory=dict,
        description="by column; default: standard for numbers and windows, words for text, pooled for images, one_hot "
        "otherwise; networks of a kind read images and texts in their own way",
    )
    selection: Selection = Selection()

    @property
    def names(self) -> tuple[str, ...]:
        """Included columns without the excluded ones, in the spec's order."""
        return tuple(name for name in self.include if name not in self.exclude)


class Holdout(StrictModel):
    """The rows that answer gates only, and how often they may be asked."""

    size: Share | Positive = Field(description="a share of the rows or, split by time, a duration at the end")
    judgements: int = Field(default=20, ge=1, le=1000, description="the 5 % significance level is shared by these")
    renewal: int = Field(default=5000, ge=100, description="newly labelled rows that make a spent holdout new")


class TimeSplit(StrictModel):
    """Train, then validation, then holdout, in the order of the contract's event time."""

    by: Literal["time"]
    validation: Share | Positive
    holdout: Holdout
    gap: timedelta = Field(default=timedelta(0), ge=timedelta(0), description="left out between the parts")
    window: Positive | None = Field(default=None, description="train on the last stretch only")


class GroupSplit(StrictModel):
    """Whole groups go to one part, by a hash of the group's value: stable when rows arrive."""

    by: Literal["group"]
    column: str
    validation: Share
    holdout: Holdout
    seed: int = 0


class StratifiedSplit(StrictModel):
    """Rows go to a part by a hash of their id: every class in like shares, and stable when rows arrive."""

    by: Literal["stratified"]
    validation: Share
    holdout: Holdout
    seed: int = 0


Split = Annotated[TimeSplit | GroupSplit | StratifiedSplit, Field(discriminator="by")]


class Weights(StrictModel):
    """What a network begins with instead of chance: a safetensors file in the artifact store (``acts weights``)."""

    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    licence: str = Field(min_length=1, description="SPDX name of the licence under which they may be used")
    freeze: bool = Field(default=False, description="train what the file has no weights for, and nothing else")


class CandidateFamily(StrictModel):
    """One family in the search; ``search`` narrows or fixes parts of the family's space."""

    family: str
    weights: Weights | None = Field(default=None, description="of a network: pretrained")
    search: dict[str, Distribution | str | int | float | bool | None] = Field(default_factory=dict)


class Search(StrictModel):
    """How the best candidate is looked for. The time budget ends the search, the best so far stands."""

    metric: str
    trials: int = Field(ge=1, le=1000)
    scheduler: Literal["none", "asha"] = "none"
    seed: int = 0
    time_budget: Positive = timedelta(minutes=30)


class ModelSpec(StrictModel):
    """The one document behind a model. Keys that are not listed here are refused."""

    schema_version: Literal[1]
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)
    description: str = Field(min_length=1)
    owners: tuple[str, ...] = Field(min_length=1)
    contract: ContractReference
    task: Task
    target: str
    positive: str | int | bool | None = Field(default=None, description="binary: the label that counts as positive")
    prediction_time: timedelta = Field(default=timedelta(0), description="counted from the contract's event time")
    features: Features
    split: Split
    candidates: tuple[CandidateFamily, ...] = Field(min_length=1)
    search: Search
    headroom: Headroom = Headroom()
    compute: Compute = Compute()
    gates: tuple[Gate, ...] = Field(min_length=1)
    serving: Serving = Serving()
    monitoring: Monitoring = Monitoring()
    experiment: Experiment = Experiment()
    architecture: str | None = Field(
        default=None, description="not to be written here: architecture.py beside the spec"
    )

    @property
    def pretrained(self) -> tuple[Weights, ...]:
        """Weights that candidates begin with."""
        return tuple(candidate.weights for candidate in self.candidates if candidate.weights)

    def training_part(self) -> dict[str, Any]:
        """What the bytes of a candidate depend on: gates, wording, contract range and what comes after are left out."""
        after = {"serving", "monitoring", "experiment"}
        part = self.model_dump(mode="json", exclude={"description", "owners", "gates", "compute", "headroom", *after})
        part["contract"].pop("version")
        part["candidates"] = [
            {key: value for key, value in c.items() if key != "weights" or value} for c in part["candidates"]
        ]
        if self.architecture is None:
            part.pop("architecture")
        if shared := self.compute.training_part():
            part["compute"] = shared
        if asked := self.headroom.training_part():
            part["headroom"] = asked
        for key in ("judgements", "renewal"):
            part["split"]["holdout"].pop(key)
        return part

    def judged_part(self) -> dict[str, Any]:
        """What decides which rows judge and what they must show: a change here counts as loosening.

        The training window is left out: it moves no validation or holdout row.
        """
        part = self.model_dump(mode="json", include={"task", "target", "positive", "prediction_time", "split", "gates"})
        part["split"].pop("window", None)
        return part

    def training_digest(self) -> str:
        """Digest of :meth:`training_part`."""
        return digest_of(self.training_part())
