"""What networks begin with: code of the model's own, and pretrained weights."""

from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.errors import RefusedError, UsageError
from dagster_project.domain.spec import Weights
from dagster_project.storage.store import ArtifactStore
from dagster_project.storage.weights import keep_weights, lend_weights
from dagster_project.training.beginning import Beginning, take_weights
from dagster_project.training.learning import _pretrained
from dagster_project.training.problem import fit, pose
from dagster_project.training.rows import load_data
from dagster_project.training.space import propose
from tests.training.conftest import QUICK, Make
from tests.training.test_wide_families import held
from tests.training.wide import of_pictures

SOURCE = """
import torch

def network(layout, outputs, parameters):
    part = layout.the("image")
    columns = layout.parts[-1].stop
    width = parameters["width"]
    return torch.nn.Sequential(torch.nn.Linear(columns, width), torch.nn.Tanh(), torch.nn.Linear(width, outputs))
"""
OWN = {"family": "architecture", "search": {"width": 24, "epochs": 5, "batch_size": 32, "learning_rate": 0.003}}


def with_own(request_for: Make, source: str = SOURCE) -> Any:
    request = request_for("multiclass", candidates=[OWN], **of_pictures())
    return request.model_copy(update={"spec": request.spec.model_copy(update={"architecture": source})})


def test_a_model_has_a_network_of_its_own(request_for: Make) -> None:
    _, _, candidate = held(lambda *_, **__: with_own(request_for), "multiclass", "architecture")
    assert candidate.value < 1.5 and candidate.parameters["width"] == 24


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (SOURCE.replace('"width"', '"with"'), r"models/model/architecture.py: KeyError: 'with'"),
        ("def network(layout, outputs, parameters): return 7", "network returned int. Return a torch.nn.Module."),
    ],
)
def test_its_faults_are_told_with_the_file(request_for: Make, source: str, said: str) -> None:
    request = with_own(request_for, source)
    problem = pose(request.spec, load_data(request))
    with pytest.raises(UsageError, match=said):
        list(fit(problem, propose(request.spec)[0]))


def backbone(request_for: Make) -> bytes:
    """Weights of a network that has learnt other pictures."""
    from safetensors.torch import save

    request = request_for("multiclass", families=["cnn"], **of_pictures())
    done = list(fit(pose(request.spec, load_data(request)), propose(request.spec)[0]))[-1]
    body = {name: tensor for name, tensor in done.estimator.network.state_dict().items() if name.startswith("body.")}
    return save({name.removeprefix("body."): tensor.contiguous() for name, tensor in body.items()})


def test_a_frozen_backbone_stays_and_its_head_learns(request_for: Make, tmp_path: Path) -> None:
    import torch

    store = ArtifactStore(str(tmp_path / "store"))
    digest, tensors = keep_weights(store, backbone(request_for), "Apache-2.0")
    assert tensors == 6
    few = {**QUICK["cnn"], "epochs": 1}
    plain, given = ({"family": "cnn", "search": few, **more} for more in (
        {}, {"weights": {"digest": digest, "licence": "Apache-2.0", "freeze": True}}))  # fmt: skip
    values = []
    for candidate in (plain, given):
        request = request_for("multiclass", candidates=[candidate], **of_pictures())
        data = load_data(request)
        problem = pose(request.spec, data, _pretrained(request))
        done = list(fit(problem, propose(request.spec)[0]))[-1]
        values.append(done.value)
    assert values[1] < values[0] - 0.3, "it begins where the other ended"
    before = store.get(digest)
    from safetensors.torch import load

    for name, tensor in load(before).items():
        assert torch.equal(done.estimator.network.state_dict()[f"body.{name}"], tensor)


def test_weights_that_do_not_fit_are_refused_with_what_would(request_for: Make) -> None:
    import torch
    from safetensors.torch import save

    network = torch.nn.Sequential(torch.nn.Linear(3, 2))
    with pytest.raises(RefusedError, match=r"no place for 0.weight \(5, 5\). It has 0.weight \(2, 3\), 0.bias \(2,\)"):
        take_weights(network, Beginning(weights=save({"0.weight": torch.zeros(5, 5)})))
    with pytest.raises(RefusedError, match="no safetensors file"):
        take_weights(network, Beginning(weights=b"\x80\x04pickle"))


def test_only_what_was_put_in_as_weights_is_lent(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save

    store, place = ArtifactStore(str(tmp_path / "a")), ArtifactStore(str(tmp_path / "b"))
    other = store.put(b"a verdict")
    with pytest.raises(RefusedError, match="nobody has put pretrained weights"):
        lend_weights([Weights(digest=other, licence="MIT")], store, place)
    digest, _ = keep_weights(store, save({"w": torch.zeros(2)}), "MIT")
    with pytest.raises(RefusedError, match="are under MIT, the spec says Apache"):
        lend_weights([Weights(digest=digest, licence="Apache-2.0")], store, place)
    lend_weights([Weights(digest=digest, licence="MIT")], store, place)
    assert place.own_digests() == [digest]
    for data in (b"", b"\xff" * 40, b"\x80\x04pickle"):
        with pytest.raises(UsageError, match="no safetensors file"):
            keep_weights(store, data, "MIT")
