"""A reconciliation that is killed anywhere leaves what a quiet one leaves."""

from pathlib import Path

import pytest

from tests.monitoring.killing import quiet, tormented, world


@pytest.mark.slow
def test_killed_shuffled_and_replayed_it_is_the_same(tmp_path: Path) -> None:
    answered, said = world(3000, seed=4)
    (tmp_path / "quiet").mkdir()
    (tmp_path / "tormented").mkdir()
    wanted = quiet(tmp_path / "quiet", answered, said)
    found, killed = tormented(tmp_path / "tormented", answered, said, kills=12, seed=5)
    assert killed >= 3 and wanted.labelled == 2700
    assert found.equal(wanted)
