"""One running server for the tests that change nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore
from tests.serving import served
from tests.serving.running import Server, running


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serves the hand-made model "delays"."""
    folder = tmp_path_factory.mktemp("served")
    workspace = Workspace(repo=folder)
    store = ArtifactStore(workspace.store)
    served.publish(store, workspace.serving, served.desired(store))
    with running(folder) as made:
        made.wait()
        yield made


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, ArtifactStore, str]:
    """A folder to serve, its store, and where servers write."""
    workspace = Workspace(repo=tmp_path)
    return tmp_path, ArtifactStore(workspace.store), workspace.serving
