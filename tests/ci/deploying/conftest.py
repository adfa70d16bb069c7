"""A repository with two champions, and ``acts deploy`` on a copy of it."""

import shutil
from pathlib import Path

import pytest

from ci.main import main
from ci.promotion import promote
from ci.session import open_head
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.specs import load_lock
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore
from tests.ci.deploying.deployed import Acts
from tests.ci.workbench import GOOD, MODEL, SPEC, WEAK, change, git, judged, quick_build, save, settled


@pytest.fixture(scope="package")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Main with a weak champion (tag first) and then a better one (tag second)."""
    repo = settled(tmp_path_factory.mktemp("crowned") / "repo", spec="")
    for spec, tag in ((WEAK, "first"), (GOOD, "second")):
        git(repo, "switch", "-q", "-c", f"{tag}-change")
        change(repo, SPEC, spec)
        save(repo, f"{tag} model")
        quick_build(repo)
        assert judged(repo).verdict.promotable
        promote(*open_head(repo), MODEL)
        save(repo, "promote")
        git(repo, "switch", "-q", "main")
        git(repo, "merge", "-q", f"{tag}-change")
        git(repo, "tag", tag)
    return repo


@pytest.fixture
def repo(crowned: Path, tmp_path: Path) -> Path:
    shutil.copytree(crowned, tmp_path / "repo", symlinks=True)
    return tmp_path / "repo"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ChampionLock, bool]]:
    """Locks that Dagster was told of; the real program is started by the slow test below."""
    told: list[tuple[ChampionLock, bool]] = []

    def record(workspace: Workspace, *files: Path, deployed: bool = False) -> None:
        told.extend((load_lock(file.read_bytes(), file.name), deployed) for file in files)

    monkeypatch.setattr("ci.deploying.publishing.record", record)
    return told


@pytest.fixture
def acts(repo: Path, recorded: object, capsys: pytest.CaptureFixture[str]) -> Acts:
    """Run ``acts deploy``; exit code, output and error output."""

    def run(*arguments: str, wait: float = 0, where: Path = repo) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["deploy", "--repo", str(where), "--wait", str(wait), *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def deployments(repo: Path) -> Deployments:
    workspace = Workspace(repo=repo)
    return Deployments(ArtifactStore(workspace.store), workspace.serving)
