"""Whoever dies, and whenever: no machine, process, folder or shared memory is left, and the ledger knows."""

import os
from pathlib import Path

import pytest

from dagster_project.__main__ import INTERRUPTED
from tests.compute.deaths import DEATHS, GOES_ON, WITHOUT_OPERATOR, died

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces of its own need root"),
]
GRACE = 25.0  # seconds that whoever sends SIGTERM gives, at least, before it kills
LOST = tuple(name for name in DEATHS if "launcher" in name and "SIGKILL" in name)
ENDED = {name: "interrupted" for name in DEATHS if "SIGTERM" in name} | {GOES_ON: "succeeded"}


@pytest.mark.parametrize("name", DEATHS)
def test_a_death_leaves_nothing(name: str, tmp_path: Path) -> None:
    left = died(name, tmp_path)
    held = [line for line in left.after if line.split()[0] in ("rayjobs", "jobs", "pods")]
    assert left.shared == () and list(left.after) == (held if name == WITHOUT_OPERATOR else []), left
    assert bool(left.before) == (name in LOST), left
    assert left.outcomes == ("lost" if name in LOST else ENDED.get(name, "failed"),), left.said
    assert (left.code == 0) == (name == GOES_ON), left.said
    assert left.code == INTERRUPTED or "SIGTERM" not in name, left.said
    assert left.seconds < GRACE or "SIGTERM" not in name, left.said
    if name in LOST:
        assert "RayJob acts-tardy-" in left.reaped and "deleted: whoever launched it has ended" in left.reaped
