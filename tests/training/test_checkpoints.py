"""States of a trial: the last ones stay, and a network goes on from the latest."""

import pytest
import torch

from dagster_project.domain.errors import MachineryError
from dagster_project.training.checkpoints import Checkpoints, trial_folder
from dagster_project.training.steps import network_steps

from .test_loop import begun


def test_the_last_states_stay(tmp_path):
    kept = Checkpoints(str(tmp_path), kept=2)
    assert kept.last() is None
    for epoch in range(1, 5):
        kept.save(epoch, {"epoch": epoch, "network": torch.ones(epoch)})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-000003.pt", "epoch-000004.pt"]
    last = kept.last()
    assert last is not None and last["epoch"] == 4
    assert kept.load(3)["network"].tolist() == [1, 1, 1]


def test_weights_that_are_gone_are_said(tmp_path):
    with pytest.raises(MachineryError, match="weights after epoch 9 are not there"):
        Checkpoints(str(tmp_path)).load(9)


def test_what_was_saved_and_never_reported_is_reported(tmp_path):
    """The process died between the two, so the search has not seen epoch 2."""
    kept = Checkpoints(str(tmp_path))
    for step in network_steps(begun(), kept):
        if step.done == 2:
            break
    again = [(step.done, step.found) for step in network_steps(begun(), kept)]
    assert again == [(2, 2), (3, 2), (4, 2)]


def test_a_training_that_was_over_has_its_last_step(tmp_path):
    kept = Checkpoints(str(tmp_path))
    assert [step.done for step in network_steps(begun(), kept)] == [1, 2, 3, 4]
    assert [step.done for step in network_steps(begun(), kept)] == [4]


def test_builds_and_trials_have_their_own_folders():
    assert trial_folder("s3://bucket/out/", "sha256:" + "ab" * 32, 3) == "s3://bucket/out/abababababababab/trial-3"
