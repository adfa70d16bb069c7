"""What is exported: a network with the weights of its trial, which training once more would give too."""

from dagster_project.domain.bundle import Trial
from dagster_project.training.candidate import refit, restore
from dagster_project.training.checkpoints import Checkpoints
from dagster_project.training.export import export
from dagster_project.training.problem import fit, pose
from dagster_project.training.rows import load_data
from dagster_project.training.space import propose


def test_a_trial_s_weights_are_what_training_once_more_gives(request_for, tmp_path):
    mlp = {"family": "mlp", "search": {"hidden": "16", "epochs": 3, "batch_size": 64}}
    request = request_for("binary", candidates=[mlp], search={"trials": 1})
    data, (proposal,) = load_data(request), propose(request.spec)
    problem, kept = pose(request.spec, data), Checkpoints(str(tmp_path / "states"))
    value = list(fit(problem, proposal, checkpoints=kept))[-1].value
    trial = Trial(
        number=0, family="mlp", parameters=proposal.parameters, status="completed", value=value, seconds=0.0, steps=3
    )
    restored = restore(problem, data, trial, kept.load(3))
    assert restored.value == value
    assert export(restored) == export(refit(problem, data, trial))
