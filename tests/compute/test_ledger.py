"""The ledger of leases: what is open, and which row is believed."""

from pathlib import Path

import pytest

from dagster_project.domain.compute import Compute
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.lease import Lease, LeaseEnd, Outcome
from dagster_project.storage.leases import LeaseLedger
from dagster_project.storage.ledger import Ledger


def lease(name: str = "a1", model: str = "tardy", profile: str = "local") -> Lease:
    return Lease(id=name, model=model, build_key="k", compute=Compute(profile=profile), begun=1000.0, ends=8200.0)


def ended(outcome: Outcome, amount: float = 1.0, name: str = "a1", **more: str) -> LeaseEnd:
    return LeaseEnd(lease=lease(name, **more), outcome=outcome, amount=amount)


def test_a_lease_is_open_until_somebody_ends_it(tmp_path: Path) -> None:
    ledger = LeaseLedger(str(tmp_path))
    assert ledger.open() == [] and ledger.ends() == []
    ledger.begin(lease("a1"))
    ledger.begin(lease("b2"))
    assert [found.id for found in ledger.open()] == ["a1", "b2"]
    ledger.end(ended("failed", name="a1"))
    assert ledger.open() == [lease("b2")]
    assert ledger.ends() == [ended("failed", name="a1")]


@pytest.mark.parametrize("order", [("lost", "succeeded"), ("succeeded", "lost"), ("lost", "lost", "succeeded", "lost")])
def test_the_launcher_is_believed_before_the_reaper(tmp_path: Path, order: tuple[Outcome, ...]) -> None:
    ledger = LeaseLedger(str(tmp_path))
    ledger.begin(lease())
    for outcome in order:
        ledger.end(ended(outcome))
    assert [end.outcome for end in ledger.ends()] == ["succeeded"]


def test_another_machines_lease_is_taken_once(tmp_path: Path) -> None:
    ledger = LeaseLedger(str(tmp_path))
    assert ledger.add(ended("succeeded", 2.0))
    assert not ledger.add(ended("succeeded", 9.0))
    assert [end.amount for end in ledger.ends()] == [2.0]


def test_a_row_that_is_none_is_the_machinerys_fault(tmp_path: Path) -> None:
    Ledger(str(tmp_path), "leases").append({"event": "over", "lease": 3})
    with pytest.raises(MachineryError, match="holds a row that is none"):
        LeaseLedger(str(tmp_path)).ends()
