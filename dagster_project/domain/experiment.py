"""``experiment:`` of a spec: when the system proposes a challenger by itself, and what that may take."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from .base import StrictModel
from .monitoring import Cron

Positive = Annotated[timedelta, Field(gt=timedelta(0))]


class Experiment(StrictModel):
    """A challenger on fresh data, opened as a pull request where it passes its gates. It is never promoted by itself.

    Each cause is asked where it is given; ``pause`` is the least time between two experiments whatever the causes.
    """

    on: bool = False
    schedule: Cron | None = Field(default=None, description="at these times, whatever happened")
    new_rows: int | None = Field(default=None, ge=1, description="newly labelled rows since the last build")
    drift: bool = Field(default=False, description="when a drift alarm stands")
    performance: bool = Field(default=False, description="when a bound of monitoring.performance is crossed")
    pause: Positive = timedelta(days=1)
    trials: int | None = Field(default=None, ge=1, le=1000, description="a wider search than the spec's own")
    time_budget: Positive | None = Field(default=None, description="of the wider search")
