"""A network of the model's own that begins with pretrained weights, through the commands that people use."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ci.main import acts, main
from dagster_project.domain.build import BuildResult
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.spec_changes import compare_specs
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore
from tests.ci.workbench import MODEL, SPEC
from tests.modalities.pictures import READING, digits
from tests.pipeline.small import build
from tests.trees import edited

SOURCE = '''
import torch

def network(layout, outputs, parameters):
    """A backbone that others have trained, and a head."""
    image = layout.the("image")
    height, width, channels = image.shape
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (height, width, channels)), torch.nn.Flatten(),
        torch.nn.Linear(height * width * channels, parameters["width"]), torch.nn.ReLU(),
        torch.nn.Linear(parameters["width"], outputs),
    )
'''
CNN = READING[READING.index("  - family: cnn") : READING.index("search: {metric")]


def begins_with(weights: str) -> str:
    """The spec with the network of its own and what ``acts weights`` printed."""
    own = "  - family: architecture\n    search: {width: 24, epochs: 4, batch_size: 32, learning_rate: 0.003}\n"
    return edited(READING, (CNN, own + weights.rstrip() + "\n      freeze: true\n"))


def stored(repo: Path, width: int = 24) -> str:
    """Weights of the first layer, stored; what the command printed."""
    import torch
    from safetensors.torch import save_file

    layer = torch.nn.Linear(64, width)
    file = repo.parent / "backbone.safetensors"
    save_file({"2.weight": layer.weight.detach(), "2.bias": layer.bias.detach()}, file)
    done = CliRunner().invoke(acts, ["weights", str(file), "--licence", "MIT", "--repo", str(repo)])
    assert done.exit_code == 0, done.output
    assert "backbone.safetensors: 2 tensors, stored. In the spec:" in done.output
    return done.output[done.output.index("    weights:") :]


def test_what_is_no_safetensors_file_is_not_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = digits(tmp_path / "repo", spec="")
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04pickle")
    assert main(["weights", str(tmp_path / "model.pkl"), "--licence", "MIT", "--repo", str(repo)]) == 2
    assert "no safetensors file" in capsys.readouterr().err


@pytest.mark.slow
def test_it_is_built_by_the_build_program_and_its_code_is_part_of_the_build(tmp_path: Path) -> None:
    repo = digits(tmp_path / "repo", spec="")
    (repo / SPEC).write_text(begins_with(stored(repo)))
    (repo / f"models/{MODEL}/architecture.py").write_text(SOURCE)
    code, result, said = build(repo, "model", MODEL)
    assert code == 0 and isinstance(result, BuildResult) and result.bundle, said
    manifest = load_manifest(ArtifactStore(Workspace(repo=repo).store), result.bundle)
    assert manifest.family == "architecture" and manifest.parameters["width"] == 24
    assert manifest.claims["accuracy"] > 0.3, "a head on what chance has made"
    before = load_repository(FolderTree(repo)).specs[MODEL]
    (repo / f"models/{MODEL}/architecture.py").write_text(SOURCE.replace("ReLU", "Tanh"))
    after = load_repository(FolderTree(repo)).specs[MODEL]
    (change,) = compare_specs(before, after)
    assert change.effect == "rebuild" and change.what.startswith("architecture: sha256:")
    assert after.training_digest() != before.training_digest()

    unknown = edited((repo / SPEC).read_text(), ("licence: MIT", "licence: Apache-2.0"))
    (repo / SPEC).write_text(unknown)
    code, _, said = build(repo, "model", MODEL)
    assert code == 1 and "are under MIT, the spec says Apache-2.0" in said
