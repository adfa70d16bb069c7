"""The scene of each test; what all tests build on is made once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.github.scene import GOOD, LOCK, NAME, SPEC, WEAK, Crown, Crowns, Kept, Scene, Studio
from tests.github.double import Double, github_double
from tests.trees import edited

FIRST = edited(WEAK, ("seed: 7", "seed: 8"))


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


@pytest.fixture(scope="package")
def crowns(tmp_path_factory: pytest.TempPathFactory, studio: Studio) -> Crowns:
    """Two champions, crowned one after the other as everybody should."""
    folder = tmp_path_factory.mktemp("crowns")
    with github_double(folder / "github") as double:
        scene = Scene.arranged(folder, double, studio)
        first, second = (_crown(scene, branch, spec) for branch, spec in (("first", FIRST), ("second", GOOD)))
    return Crowns(scene.storage, first, second)


def _crown(scene: Scene, branch: str, spec: str) -> Crown:
    pull = scene.passed(branch, spec)
    scene.double.merge(NAME, pull.number)
    lock = scene.file(pull.head, LOCK)
    assert lock
    return Crown({SPEC: spec, LOCK: lock}, scene.check(pull.head)["external_id"])


@pytest.fixture
def reign(scene: Scene, crowns: Crowns) -> Scene:
    """A scene whose storage knows two champions."""
    shutil.copytree(crowns.storage, scene.storage)
    return scene


@pytest.fixture(scope="package")
def kept(tmp_path_factory: pytest.TempPathFactory, studio: Studio) -> Kept:
    """A better model, judged once."""
    folder = tmp_path_factory.mktemp("kept")
    with github_double(folder / "github") as double:
        scene = Scene.arranged(folder, double, studio)
        pull = scene.pushed("better", {SPEC: GOOD})
        return Kept(double.path(NAME), pull.head, scene.judged(scene.trained(pull)))
