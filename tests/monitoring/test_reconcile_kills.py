"""A reconciliation that is killed anywhere leaves what a quiet one leaves."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.monitoring.killing import ROOT, quiet, tables, tormented, world
from tests.monitoring.logged import log, tell
from tests.monitoring.reviewed import NOW
from tests.monitoring.test_reconcile import sent_only


@pytest.mark.slow
def test_killed_shuffled_and_replayed_it_is_the_same(tmp_path: Path) -> None:
    answered, said = world(3000, seed=4)
    (tmp_path / "quiet").mkdir()
    (tmp_path / "tormented").mkdir()
    wanted = quiet(tmp_path / "quiet", answered, said)
    found, killed = tormented(tmp_path / "tormented", answered, said, kills=12, seed=5)
    assert killed >= 3 and wanted.labelled == 2700
    assert found.equal(wanted)


@pytest.mark.slow
def test_several_at_once_leave_what_one_leaves(tmp_path: Path) -> None:
    answered, said = world(2000, seed=6)
    places = [tmp_path / name for name in ("quiet", "crowded")]
    for place in places:
        place.mkdir()
    wanted = quiet(places[0], answered, said)
    here = sent_only(places[1])
    for part in range(4):
        log(here, *answered[part::4])
        tell(here, *said[part::4])
    command = [sys.executable, "-m", "tests.monitoring.reconcile_child", str(places[1]), NOW.isoformat(), "150"]
    crowd = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) for _ in range(4)]
    said_of_it = [process.communicate()[1].decode()[-2000:] for process in crowd]
    assert [process.returncode for process in crowd] == [0] * 4, said_of_it
    assert tables(here).equal(wanted)
