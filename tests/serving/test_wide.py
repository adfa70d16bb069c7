"""A champion whose one input is a row of 30 numbers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dagster_project.domain.bundle import Reference
from dagster_project.domain.deployment import ServedInput
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.workspace import Workspace
from dagster_project.serving.live import load, tensor
from dagster_project.storage.store import ArtifactStore
from tests.serving.running import Server, running
from tests.serving.served import champion, keep, publish
from tests.serving.wide import INPUTS, NAME, WIDTH, chances, network, rows, wide_champion

INFER = f"/v2/models/{NAME}/infer"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("wide")
    workspace = Workspace(repo=folder)
    store = ArtifactStore(workspace.store)
    publish(store, workspace.serving, wide_champion(store))
    with running(folder) as server:
        server.wait()
        yield server


def request(x: np.ndarray, **tensor: object) -> dict[str, object]:
    return {"inputs": [{"name": "x", "datatype": "FP32", "shape": list(x.shape), "data": x.tolist(), **tensor}]}


@pytest.mark.parametrize("count", [1, 7])
def test_rows_of_numbers_are_answered(server: Server, count: int) -> None:
    x = rows(count, seed=3)
    status, answer, _ = server.call(INFER, request(x))
    assert status == 200, answer
    said = {output["name"]: output["data"] for output in answer["outputs"]}
    np.testing.assert_allclose(np.reshape(said["probabilities"], (count, 2)), chances(x), atol=1e-5)
    assert said["label"] == chances(x).argmax(axis=1).tolist()


def test_another_width_is_refused(server: Server) -> None:
    status, answer, _ = server.call(INFER, request(rows(2)[:, :29]))
    assert status == 400
    assert f"[rows, {WIDTH}]" in answer["error"] and "'x'" in answer["error"]


def test_the_wide_input_is_explained_as_one(server: Server) -> None:
    x = rows(1, seed=4)
    status, answer, _ = server.call(f"/v2/models/{NAME}/explain", request(x))
    assert status == 200, answer
    said = {output["name"]: output["data"] for output in answer["outputs"]}
    assert answer["parameters"]["columns"] == ["x"]
    np.testing.assert_allclose(said["base"][0] + said["attributions"][0], chances(x)[0, 1], atol=1e-5)


def test_wrong_answers_to_wide_examples_are_refused(tmp_path: Path) -> None:
    store = ArtifactStore(str(tmp_path))
    right = wide_champion(store)
    good = load(store, right).reference
    swapped = tuple(
        example.model_copy(update={"inputs": other.inputs})
        for example, other in zip(good.examples, reversed(good.examples), strict=True)
    )
    wrong = Reference(examples=swapped, background=good.background)
    bundle = keep(store, network(), wrong, INPUTS, model=NAME, classes=(0, 1))
    with pytest.raises(RefusedError, match="of an example is"):
        load(store, champion(store, NAME, network(), bundle, INPUTS))


def test_missing_numbers_are_nan_in_their_place() -> None:
    column = tensor([(1.0, None, 3.0), (None, 5.0, 6.0), None], ServedInput(name="x", dtype="float32", width=3))
    assert column.shape == (3, 3)
    assert column.dtype == np.float32
    assert np.argwhere(np.isnan(column)).tolist() == [[0, 1], [1, 0], [2, 0], [2, 1], [2, 2]]
