"""What a model's build will cost, from what the ledger says that its last ones did."""

from collections.abc import Iterable, Mapping
from statistics import median

from pydantic import Field

from .base import StrictModel
from .compute import Compute, MachineKind, Profiles
from .lease import HOUR, LeaseEnd, most

HISTORY = 5


class Estimate(StrictModel):
    """An amount that a build is expected to cost; without history the most that it can."""

    amount: float
    currency: str = "USD"
    builds: int = Field(default=0, description="that it is the median of; 0: it is price times deadline")
    ceiling: float | None = None

    @property
    def crosses(self) -> bool:
        """Whether history says that the build would reach its ceiling. What merely can happen refuses nothing."""
        return self.builds > 0 and self.ceiling is not None and self.amount > self.ceiling

    @property
    def words(self) -> str:
        """``~1.20 USD``, or ``at most 4.00 USD``."""
        return f"{'~' if self.builds else 'at most '}{self.amount:,.2f} {self.currency}"

    def refusal(self, model: str) -> str:
        """Why a build that crosses its ceiling isn't started."""
        last = "its last build cost that" if self.builds == 1 else f"the median of its last {self.builds} builds"
        return (
            f"a build of {model} is estimated at {self.amount:,.2f} {self.currency} ({last}), "
            f"more than its ceiling of {self.ceiling:,.2f} {self.currency}."
        )


HINT = "Raise compute.cost_ceiling, or ask for less: fewer trials, fewer workers, spot machines."


def estimate(model: str, compute: Compute, profiles: Profiles, ends: Iterable[LeaseEnd]) -> Estimate | None:
    """What a build of ``model`` under ``compute`` will cost; None where machines cost nothing.

    History counts where it was made on the same profile and the same kind of capacity, and came to a good end. It
    tells how long machines were there; what they cost is today's price.
    """
    prices = profiles.prices(compute)
    if profiles.hourly(compute) == 0:
        return None
    ceiling = profiles.ceiling(compute)
    past = [_amount(end, prices) for end in ends if _is_like(end, model, compute)][-HISTORY:]
    if past:
        return Estimate(amount=median(past), currency=profiles.currency, builds=len(past), ceiling=ceiling)
    return Estimate(amount=most(compute, profiles), currency=profiles.currency, ceiling=ceiling)


def _amount(end: LeaseEnd, prices: Mapping[MachineKind, float]) -> float:
    return sum(node.seconds * prices.get(node.kind, 0.0) for node in end.nodes) / HOUR


def _is_like(end: LeaseEnd, model: str, compute: Compute) -> bool:
    then = end.lease.compute
    same = (end.lease.model, then.profile, then.capacity) == (model, compute.profile, compute.capacity)
    return same and end.outcome == "succeeded"
