"""The archive of a lease's code: the same files give the same bytes, and what runs from it has the same digests."""

import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.compute.archive import code_archive
from dagster_project.domain.errors import UsageError
from dagster_project.domain.fingerprint import ROOT, code_digest, environment_digest
from dagster_project.domain.lease import LeaseFolder
from dagster_project.storage.files import write_atomic
from tests.object_storage import object_storage

FAMILIES = ("mlp", "random_forest")
STRAY = (
    ".env", ".acts/store/x.py", "tests/test_x.py", "models/m/spec.yaml", "dagster_project/.env.yaml",
    "dagster_project/__pycache__/x.py", "dagster_project/.git/config.yaml", "dagster_project/key.pem",
)  # fmt: skip
DIGESTS = f"""\
from dagster_project.domain.fingerprint import ROOT, code_digest, environment_digest
print(ROOT, code_digest({FAMILIES!r}), environment_digest())
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small checkout."""
    package = tmp_path / "checkout" / "dagster_project"
    (package / "training").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "training" / "job.py").write_text("print('trains')\n")
    (package / "page.html").write_text("<p>page</p>\n")
    (package.parent / "constraints.txt").write_text("numpy==2.4.0\n")
    return package.parent


def names(archive: bytes) -> list[str]:
    """What is in it."""
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def test_the_same_files_give_the_same_bytes(root):
    archive = code_archive(root)
    for path in root.rglob("*"):
        path.chmod(0o700)
        os.utime(path, (time.time() - 1e6, time.time() - 1e6))
    assert code_archive(root) == archive
    (root / "dagster_project" / "training" / "job.py").write_text("print('trains otherwise')\n")
    assert code_archive(root) != archive


def test_nothing_but_the_package_and_the_versions_is_in_it(root):
    for path in STRAY:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("secret")
    package = [f"dagster_project/{name}" for name in ("__init__.py", "page.html", "training/job.py")]
    assert names(code_archive(root)) == ["constraints.txt", *package]


def test_every_file_that_the_package_ships_is_in_it():
    shipped = {*ROOT.glob("dagster_project/**/*.py"), *ROOT.glob("dagster_project/**/*.html")}
    shipped |= {*ROOT.glob("dagster_project/**/*.yaml"), *ROOT.glob("dagster_project/**/*.sql")}
    assert {path.relative_to(ROOT).as_posix() for path in shipped} <= set(names(code_archive()))


@pytest.mark.parametrize("place", ["dagster_project/link.py", "dagster_project/folder", "constraints.txt"])
def test_links_are_refused(root, place, tmp_path):
    (tmp_path / "outside").mkdir()
    (root / place).unlink(missing_ok=True)
    (root / place).symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match=r"a link"):
        code_archive(root)


def test_a_folder_without_the_package_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no package"):
        code_archive(tmp_path)


def test_what_runs_from_it_has_the_checkouts_digests(tmp_path):
    assert _digests_from(code_archive(), tmp_path) == (code_digest(FAMILIES), environment_digest())


def test_installed_without_constraints_it_says_what_is_installed(tmp_path):
    site = tmp_path / "site-packages"
    with zipfile.ZipFile(io.BytesIO(code_archive())) as archive:
        archive.extractall(site)
    (site / "constraints.txt").unlink()
    code, environment = _digests_from(code_archive(site), tmp_path / "unpacked")
    assert (code, environment) == (code_digest(FAMILIES), environment_digest(site / "constraints.txt"))


def test_the_training_program_starts_from_it(tmp_path):
    with zipfile.ZipFile(io.BytesIO(code_archive())) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "-m", "dagster_project.training.job", "no-such-request.json"]
    done = subprocess.run(command, cwd=tmp_path, env=_alone(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "no build request" in done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own, when it is imported
def test_ray_unpacks_it_as_it_is(tmp_path):
    from ray._private.runtime_env.packaging import unzip_package

    file = tmp_path / "code.zip"
    file.write_bytes(code_archive())
    unzip_package(str(file), str(tmp_path / "working"), remove_top_level_directory=True, unlink_zip=False)
    assert (tmp_path / "working" / "dagster_project" / "training" / "job.py").is_file()
    assert (tmp_path / "working" / "constraints.txt").is_file()


def _digests_from(archive: bytes, folder: Path) -> tuple[str, str]:
    """Of the code in ``archive``, by a process that sees no other."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        file.extractall(folder)
    command = [sys.executable, "-c", DIGESTS]
    done = subprocess.run(command, cwd=folder, env=_alone(folder), capture_output=True, text=True, check=True)
    place, code, environment = done.stdout.split()
    assert Path(place) == folder.resolve()
    return code, environment


def _alone(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(folder)}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URI of an empty bucket, which every client of S3 finds by the environment."""
    with object_storage("code") as told:
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        yield "s3://code"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's and boto's own
def test_ray_fetches_it_from_object_storage(bucket, tmp_path):
    from ray._private.runtime_env.packaging import Protocol

    folder = LeaseFolder.of(f"{bucket}/leases", "a1b2c3")
    write_atomic(folder.code, code_archive())
    Protocol.S3.download_remote_uri(source_uri=folder.code, dest_file=str(tmp_path / "code.zip"))
    assert (tmp_path / "code.zip").read_bytes() == code_archive()
