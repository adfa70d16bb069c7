"""A champion for every module that watches one; each test has a copy of its repository."""

from pathlib import Path

import pytest

from tests.ci import workbench
from tests.ci.workbench import GOOD, moved


@pytest.fixture(scope="package")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workbench.crowned(tmp_path_factory.mktemp("crowned"), GOOD)


@pytest.fixture
def repo(crowned: Path, tmp_path: Path) -> Path:
    return moved(crowned, tmp_path / "repo")
