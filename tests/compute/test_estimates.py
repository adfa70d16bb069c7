"""What a build is expected to cost, from the ledger; and what its ceiling refuses."""

from datetime import timedelta

import pytest

from dagster_project.domain.compute import Compute, LocalProfile, Profiles
from dagster_project.domain.estimates import Estimate, estimate
from dagster_project.domain.known import KnownState
from dagster_project.domain.lease import Lease, LeaseEnd, NodeUse, Outcome, amount_of
from dagster_project.domain.plan import Plan
from dagster_project.domain.planning import build_plan
from dagster_project.domain.verdict import Outcome as Found
from tests.trees import FILES, SPEC, edited, repository, tree

HOURLY = 2.0
PROFILES = Profiles(
    schema_version=1,
    currency="EUR",
    profiles={"local": LocalProfile(kind="local"), "big": LocalProfile(kind="local", price=HOURLY)},
)
BIG = Compute(profile="big", deadline=timedelta(hours=3))


def end(
    amount: float, outcome: Outcome = "succeeded", model: str = "tardy", compute: Compute = BIG, hourly: float = HOURLY
) -> LeaseEnd:
    """A lease whose machine was there for what today's price makes ``amount``; it cost ``hourly`` then."""
    lease = Lease(id="a1", model=model, build_key="k", compute=compute, begun=0.0, ends=1.0)
    node = NodeUse(kind="local", name="vm", since=0.0, until=amount / HOURLY * 3600, hourly=hourly)
    return LeaseEnd(lease=lease, outcome=outcome, nodes=(node,), amount=amount_of([node]))


def test_machines_without_a_price_cost_nothing() -> None:
    assert estimate("tardy", Compute(), PROFILES, [end(5.0, compute=Compute())]) is None


def test_without_history_it_is_what_it_can_cost_at_most() -> None:
    found = estimate("tardy", BIG, PROFILES, [])
    assert found == Estimate(amount=6.0, currency="EUR")
    assert found.words == "at most 6.00 EUR" and not found.crosses
    bounded = estimate("tardy", BIG.model_copy(update={"cost_ceiling": 1.5}), PROFILES, [])
    assert bounded is not None and bounded.amount == 1.5 and not bounded.crosses


def test_the_median_of_the_last_few_that_ended_well() -> None:
    other = BIG.model_copy(update={"profile": "local"})
    spot = BIG.model_copy(update={"capacity": "spot"})
    beside = [end(99.0, "failed"), end(99.0, model="early"), end(99.0, compute=other), end(99.0, compute=spot)]
    found = estimate("tardy", BIG, PROFILES, [*map(end, (70.0, 1.0, 2.0, 3.0, 4.0, 5.0)), *beside])
    assert found is not None
    assert (found.amount, found.builds, found.words) == (3.0, 5, "~3.00 EUR")


def test_time_is_history_and_the_price_is_todays() -> None:
    found = estimate("tardy", BIG, PROFILES, [end(3.0, hourly=0.0), end(4.0, hourly=50.0), end(5.0)])
    assert found is not None and found.amount == 4.0


@pytest.mark.parametrize(("ceiling", "crosses"), [(None, False), (3.0, False), (2.99, True)])
def test_only_history_crosses_a_ceiling(ceiling: float | None, crosses: bool) -> None:
    found = estimate("tardy", BIG.model_copy(update={"cost_ceiling": ceiling}), PROFILES, [end(3.0)])
    assert found is not None and found.crosses is crosses


def planned(cost: Estimate, head: dict[str, str]) -> Plan:
    before, after = repository(FILES), repository(tree(**head))
    return build_plan(before, after, "base", "head", KnownState(costs={"tardy": cost}))


def test_the_plan_refuses_a_build_that_would_cross_its_ceiling() -> None:
    dear = Estimate(amount=3.0, currency="EUR", builds=4, ceiling=2.5)
    plan = planned(dear, {"spec": edited(SPEC, ("seed: 7", "seed: 8"))})
    assert plan.refused
    [finding] = [finding for finding in plan.findings if finding.outcome is Found.FAILED]
    assert finding.name == "cost of tardy" and finding.file == "models/tardy/spec.yaml"
    assert "3.00 EUR (the median of its last 4 builds)" in finding.summary and "ceiling of 2.50 EUR" in finding.summary
    assert "cost_ceiling" in finding.hint


def test_what_is_not_built_costs_nothing() -> None:
    dear = Estimate(amount=3.0, builds=4, ceiling=2.5)
    plan = planned(dear, {"spec": edited(SPEC, ("Will the ride be late?", "Late, or not?"))})
    assert not plan.refused and plan.steps == ()


def test_the_step_says_what_it_may_cost() -> None:
    plan = planned(Estimate(amount=6.0), {"spec": edited(SPEC, ("seed: 7", "seed: 8"))})
    costs = {(step.action, step.kind): step.cost for step in plan.steps}
    assert costs["build", "model"] == Estimate(amount=6.0)
    assert {cost for subject, cost in costs.items() if subject != ("build", "model")} == {None}
