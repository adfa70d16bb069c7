"""A site for each test: repositories of the double cost little, and a test may do there what it likes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.forge.site import GATE, MODELS, RIGHTS, Site
from tests.github.double import github_double


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A private repository, so that every right is asked for."""
    with github_double(tmp_path / "github") as double:
        double.create_repository(MODELS, files={"README.md": "# Models\n", "models/m/spec.yaml": "m\n"}, private=True)
        double.app(GATE, RIGHTS)
        yield Site(double)
