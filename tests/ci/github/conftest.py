"""The scene of each test; what all tests build on is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.github.scene import Scene, Studio
from tests.github.double import Double, github_double


@pytest.fixture(scope="package")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio.opened(tmp_path_factory.mktemp("studio"))


@pytest.fixture
def double(tmp_path: Path) -> Iterator[Double]:
    with github_double(tmp_path / "github") as double:
        yield double


@pytest.fixture
def scene(tmp_path: Path, double: Double, studio: Studio) -> Scene:
    return Scene.arranged(tmp_path, double, studio)
