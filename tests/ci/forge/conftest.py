"""A site for each test. The server is one for all: starting and stopping it takes as long as a test."""

import shutil
from collections.abc import Iterator

import pytest

from tests.ci.forge.site import GATE, MODELS, RIGHTS, Site
from tests.github.double import Double, github_double


@pytest.fixture(scope="session")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    with github_double(tmp_path_factory.mktemp("forge") / "github") as double:
        double.app(GATE, RIGHTS)
        yield double


@pytest.fixture
def site(double: Double) -> Iterator[Site]:
    """A private repository, so that every right is asked for, on a GitHub where nothing else is."""
    double.create_repository(MODELS, files={"README.md": "# Models\n", "models/m/spec.yaml": "m\n"}, private=True)
    yield Site(double)
    shutil.rmtree(double.folder)
    for memory in (double.world.repositories, double.world.installations, double.calls, double.faults.met):
        memory.clear()
    double.faults.orders.clear()
    found, double.violations[:] = list(double.violations), []
    assert not found, "not as GitHub's description has it: " + "; ".join(found)
