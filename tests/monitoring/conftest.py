"""A champion for every module that watches one; each test has a copy of its repository."""

import shutil
from pathlib import Path

import pytest

from tests.monitoring.deployed import crown


@pytest.fixture(scope="package")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crown(tmp_path_factory.mktemp("crowned"))


@pytest.fixture
def repo(crowned: Path, tmp_path: Path) -> Path:
    """A copy; snapshots name where their table lies, and are told that it has moved."""
    folder = tmp_path / "repo"
    shutil.copytree(crowned, folder, symlinks=True)
    for place in (folder / ".acts").rglob("*.json"):
        text = place.read_text()
        if str(crowned) in text:
            place.write_text(text.replace(str(crowned), str(folder)))
    return folder
