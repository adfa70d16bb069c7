"""How many replicas Ray Serve keeps: what the application takes as arguments, and what a manifest hands to it. Pure."""

import math
from typing import Any, Self

from pydantic import Field, model_validator

from dagster_project.domain.base import StrictModel

DRAINING = 40.0
"""Seconds that a replica has to end: Ray Serve keeps it 30 for the proxies to forget it, then the log is flushed."""


class Scaling(StrictModel):
    """Replicas, each a whole server with every champion in it.

    The server refuses by itself what would wait too long (429); what Ray Serve refuses is a bound for the rest.
    """

    min_replicas: int = Field(default=1, ge=0, description="0: the first request after a pause waits for a start")
    max_replicas: int = Field(default=4, ge=1)
    target_requests: float = Field(default=16.0, gt=0, description="in one replica at a time, which Serve aims at")
    max_requests: int = Field(default=256, ge=1, description="in one replica at a time, at most")
    max_waiting: int = Field(default=1024, ge=0, description="for one replica; more are refused with 429")
    up_seconds: float = Field(default=10.0, ge=0, description="of more load before there are more replicas")
    down_seconds: float = Field(default=300.0, ge=0, description="of less load before there are fewer")
    cpus: float = Field(default=1.0, gt=0, description="of one replica")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError("min_replicas is more than max_replicas")
        if self.target_requests > self.max_requests:
            raise ValueError("target_requests is more than max_requests: no load would ever add a replica")
        return self

    def options(self) -> dict[str, Any]:
        """Options of the deployment, in Ray Serve's words."""
        return {
            "autoscaling_config": {
                "min_replicas": self.min_replicas,
                "max_replicas": self.max_replicas,
                "target_ongoing_requests": self.target_requests,
                "upscale_delay_s": self.up_seconds,
                "downscale_delay_s": self.down_seconds,
            },
            "max_ongoing_requests": self.max_requests,
            "max_queued_requests": self.max_waiting,
            "backpressure_config": {"status_code": 429, "retry_after_s": 1},
            "ray_actor_options": {"num_cpus": self.cpus},
            "graceful_shutdown_timeout_s": DRAINING,
        }

    def nodes(self, cpus: int) -> tuple[int, int]:
        """How few and how many nodes of ``cpus`` hold the replicas.

        Raises:
            ValueError: not even one replica fits.
        """
        fit = int(cpus / self.cpus)
        if not fit:
            raise ValueError(f"a replica takes {self.cpus:g} cpus and a node has {cpus}")
        return math.ceil(self.min_replicas / fit), math.ceil(self.max_replicas / fit)
