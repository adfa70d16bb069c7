"""A champion for every module that watches one; each test has a copy of its repository."""

from pathlib import Path

import pytest

from tests.ci.workbench import GOOD, moved
from tests.ci.workbench import crowned as crown


@pytest.fixture(scope="package")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crown(tmp_path_factory.mktemp("crowned"), GOOD)


@pytest.fixture
def repo(crowned: Path, tmp_path: Path) -> Path:
    return moved(crowned, tmp_path / "repo")
