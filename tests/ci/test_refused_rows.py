"""Rows that a contract refuses: judging says why."""

import pytest

from ci.judging.snapshots import _refused
from dagster_project.data.versions import Materialised
from dagster_project.domain.verdict import Finding, Outcome


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.BROKEN])
def test_refused_rows_are_refused_in_words(outcome: Outcome) -> None:
    found = Finding(name="gate.relationship", source="contract", outcome=outcome, summary="no snapshot of gates")
    told = str(_refused("trips", Materialised(None, (found,))))
    assert told == "trips: its rows were refused: no snapshot of gates. Run acts build trips to see them."
