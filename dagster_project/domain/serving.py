"""``serving:`` of a spec: how a champion answers, how a new one is rolled out, and what is written down."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from .base import StrictModel

Positive = Annotated[timedelta, Field(gt=timedelta(0))]
Part = Annotated[float, Field(gt=0.0, le=1.0)]


class Stage(StrictModel):
    """A new champion gets ``share`` of the requests until it has given ``answers`` and ``duration`` is over."""

    share: Part
    answers: int = Field(default=1000, ge=1)
    duration: timedelta = Field(default=timedelta(0), ge=timedelta(0))


class Bounds(StrictModel):
    """What ends a rollout: each is looked at once there are ``answers``, and an error before."""

    answers: int = Field(default=100, ge=1, description="fewer answers prove nothing")
    error_rate: float = Field(default=0.01, ge=0.0, lt=1.0, description="share of its runs that broke")
    latency: Positive = Field(default=timedelta(milliseconds=250), description="99th percentile, inside the server")
    disagreement: float = Field(
        default=0.25, gt=0.0, description="share of rows with another label; regression: mean difference in deviations"
    )


class Rollout(StrictModel):
    """First beside the champion, answering nobody (shadow), then to some (canary), then to all."""

    shadow: Stage | None = None
    canary: Stage | None = None
    bounds: Bounds = Bounds()


class LogPolicy(StrictModel):
    """Ids, outputs, digest and latency are always kept; of the inputs a share."""

    inputs: float = Field(default=0.0, ge=0.0, le=1.0, description="share of the requests whose inputs are kept")
    flush: Annotated[timedelta, Field(ge=timedelta(milliseconds=50), le=timedelta(minutes=1))] = Field(
        default=timedelta(seconds=1), description="a killed server loses what is younger"
    )


class Serving(StrictModel):
    """How the champion is served. The defaults suit a small model."""

    threads: int = Field(default=1, ge=1, le=64, description="of onnxruntime, for one run")
    batch_rows: int = Field(default=4096, ge=1, le=1_000_000, description="at most in one run; nothing waits for more")
    queue_rows: int = Field(default=16_384, ge=1, description="waiting rows; more are refused with 429")
    request_rows: int = Field(default=10_000, ge=1, description="in one request; more are refused with 400")
    deadline: Positive = Field(default=timedelta(seconds=5), description="an older request is not answered (504)")
    rollout: Rollout = Rollout()
    log: LogPolicy = LogPolicy()
