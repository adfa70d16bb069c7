"""Which machines a lease had, and when it has to end: pure functions on what Kubernetes tells."""

from typing import Any

import pytest

from dagster_project.compute.usage import Meter, Seen, seen_pods, seen_status
from dagster_project.compute.watch import HEADLESS, reason_to_end
from dagster_project.domain.lease import Outcome
from tests.compute import leases
from tests.kubernetes.world import stamp

T = leases.BEGUN


def pod(name: str, kind: str | None = "worker", **status: Any) -> dict[str, Any]:
    labels = {} if kind is None else {"ray.io/node-type": kind}
    metadata = {"name": name, "labels": labels, "creationTimestamp": stamp(T + 5)}
    return {"metadata": metadata, "status": {"phase": "Running", "startTime": stamp(T + 10), **status}}


def test_pods_that_are_machines() -> None:
    waiting = pod("late", conditions=[{"type": "PodScheduled", "status": "False"}], phase="Pending", startTime=None)
    coming = pod("soon", conditions=[{"type": "PodScheduled", "status": "True"}], phase="Pending")
    submitter = pod("submitter", kind=None)
    seen = seen_pods([pod("h", "head"), coming, waiting, submitter])
    assert seen == [Seen("head", "h", T + 10), Seen("worker", "soon", T + 10)]
    fresh = pod("w")
    del fresh["status"]["startTime"]
    assert seen_pods([fresh]) == [Seen("worker", "w", T + 5)]


def test_a_pod_that_has_ended_costs_until_then() -> None:
    ended = [{"state": {"terminated": {"finishedAt": stamp(T + after)}}} for after in (40, 50)]
    assert seen_pods([pod("w", phase="Failed", containerStatuses=ended)]) == [Seen("worker", "w", T + 10, T + 50)]


def test_what_the_status_tells() -> None:
    job = {"status": {"startTime": stamp(T)}}
    assert seen_status(None, None, T) == [] == seen_status(job, None, T)
    seen = seen_status(job, {"status": {"availableWorkerReplicas": 2}}, T + 7)
    assert seen == [Seen("head", "head", T), Seen("worker", "worker 1", T + 7), Seen("worker", "worker 2", T + 7)]


def test_seconds_are_added_up_look_by_look() -> None:
    meter = Meter(leases.lease(capacity="spot"), leases.profile())
    meter.look([Seen("head", "h", T)], T + 10)
    meter.look([Seen("head", "h", T), Seen("worker", "w", T + 10)], T + 20)
    meter.look([Seen("head", "h", T), Seen("worker", "v", T + 30)], T + 40)
    meter.look([Seen("head", "h", T)], T + 60)
    meter.look([], T + 70)
    meter.look([], T + 900)
    times = {use.name: (use.since - T, use.until - T, use.hourly, use.gpus) for use in meter.nodes}
    assert times == {"h": (0, 70, 0.25, 0), "w": (10, 40, 0.4, 1), "v": (30, 60, 0.4, 1)}
    assert meter.amount == pytest.approx((70 * 0.25 + 60 * 0.4) / 3600)


def test_an_ended_machine_stays_ended_and_one_that_comes_again_is_another() -> None:
    meter = Meter(leases.lease(), leases.profile())
    over = Seen("worker", "w", T, T + 30)
    for now in (40, 50):
        meter.look([over], T + now)
    meter.look([], T + 60)
    assert [use.seconds for use in meter.nodes] == [30]
    meter.look([Seen("worker", "worker 1", T + 60)], T + 60)
    meter.look([], T + 70)
    meter.look([Seen("worker", "worker 1", T + 100)], T + 100)
    meter.look([Seen("worker", "worker 1", T + 100)], T + 105)
    assert [use.seconds for use in meter.nodes] == [30, 10, 5]


def test_nothing_costs_before_its_lease_began() -> None:
    meter = Meter(leases.lease(), leases.profile())
    meter.look([Seen("head", "h", T - 500)], T + 10)
    assert [use.seconds for use in meter.nodes] == [10]


@pytest.mark.parametrize(
    ("amount", "after", "headed", "outcome"),
    [
        (1.99, 60.0, 60.0, None),
        (1.99, 60.0, None, None),
        (2.0, 60.0, 60.0, "ceiling"),
        (0.0, 1799.0, 1799.0, None),
        (0.0, 1800.0, 1800.0, "deadline"),
        (0.0, HEADLESS + 10, 10.0, None),
        (0.0, HEADLESS + 10, 9.0, "lost"),
    ],
)
def test_when_a_lease_has_to_end(amount: float, after: float, headed: float | None, outcome: Outcome | None) -> None:
    lease = leases.lease().model_copy(update={"ceiling": 2.0})
    reason = reason_to_end(lease, amount, "EUR", T + after, None if headed is None else T + headed)
    assert (reason[0] if reason else None) == outcome
