"""A worker that is killed in the middle of an epoch: its trial goes on, and ends where it would have."""

import pytest

from .losing import slow_request, train

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_worker_repeats_one_epoch_at_most(tables, environment, tmp_path, processes):
    whole, lost = tmp_path / "whole", tmp_path / "lost"
    for folder in (whole, lost):
        folder.mkdir()
    undisturbed = train(slow_request(whole, tables["binary"], processes), environment, processes)
    disturbed = train(slow_request(lost, tables["binary"], processes), environment, processes, kill_after=2)
    assert undisturbed.code == disturbed.code == 0, disturbed.lines
    assert (undisturbed.found, disturbed.found) == ((), (2,)), disturbed.lines
    assert undisturbed.result is not None and disturbed.result is not None
    assert disturbed.result.failed == 0
    assert disturbed.result.onnx == undisturbed.result.onnx


def test_a_network_goes_on_with_the_processes_that_are_left(tables, environment, tmp_path):
    """The least is one: whether Ray Train starts again with one or two, the trial ends with all of its epochs."""
    request = slow_request(tmp_path, tables["binary"], processes=2, least=1)
    told = train(request, environment, 2, kill_after=2)
    assert told.code == 0, told.lines
    assert told.found == (2,), told.lines
