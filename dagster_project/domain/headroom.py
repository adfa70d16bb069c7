"""``headroom:`` of a spec: what would make the model better, asked of the rows that it trains on. Off until asked."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from .base import StrictModel

WHOLE = 1.0
Part = Annotated[float, Field(gt=0.0, le=WHOLE)]


def _nested(shares: tuple[float, ...]) -> tuple[float, ...]:
    """Sorted, each once, up to all rows: what is asked in another order is the same question."""
    return tuple(sorted({*shares, WHOLE})) if shares else ()


class Headroom(StrictModel):
    """The chosen candidate is fitted again on fewer rows, without a source, and away from each row's own label.

    What comes out is a claim of the build: the report shows it, no gate believes it.
    """

    on: bool = False
    rows: Annotated[tuple[Part, ...], AfterValidator(_nested)] = Field(
        default=(0.1, 0.2, 0.4, 0.7, 1.0), max_length=12, description="shares of the train rows; none: no curve"
    )
    sources: bool = Field(default=True, description="what is lost without the columns of each source")
    groups: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], tuple[str, ...]] = Field(
        default_factory=dict,
        max_length=32,
        description="columns by source; default: what the SQL of a derived dataset says",
    )
    label_noise: bool = Field(default=True, description="labels with which the model confidently disagrees")
    time_budget: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(minutes=5)

    def training_part(self) -> dict[str, object]:
        """What a bundle depends on: nothing as long as it is off."""
        return self.model_dump(mode="json") if self.on else {}
