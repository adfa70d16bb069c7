"""Builds that a run left as artifacts, one zip each: unpacked by name, bounded, into an empty folder.

A build is ``result.json`` and, for a model, ``bundle/`` with the bundle's files. All of it is a stranger's.
"""

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ci.forge.github import GitHub
from ci.forge.values import Artifact
from dagster_project.domain.build import BuildResult
from dagster_project.domain.bundle import FILES, MANIFEST, MAX_FILE_BYTES
from dagster_project.domain.errors import RefusedError
from dagster_project.storage.bundles import fetch_bundle
from dagster_project.storage.files import write_atomic
from dagster_project.storage.store import ArtifactStore

RESULT, BUNDLE = "result.json", "bundle"
MOST_ZIP = 600 * 1024**2
MOST_RESULT = 4 * 1024**2
_PREFIX = "build-"
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, RuntimeError, ValueError,
)  # fmt: skip
"""What ``zipfile`` raises where the bytes are not what their directory says."""
_ALLOWED = {RESULT, *(f"{BUNDLE}/{name}" for name in (MANIFEST, *FILES))}


def export_build(folder: Path, result: BuildResult, store: ArtifactStore) -> None:
    """Write a build as a run leaves it, the result last."""
    if result.bundle:
        fetch_bundle(store, result.bundle, folder / BUNDLE)
    write_atomic(folder / RESULT, result.to_json().encode())


def builds_of(forge: GitHub, run: int) -> dict[str, Artifact]:
    """By 'model NAME' or 'dataset NAME', as the artifacts ``build-KIND-NAME`` call themselves; the newest counts."""
    found = sorted((a for a in forge.artifacts(run) if not a.expired), key=lambda artifact: artifact.id)
    named = ((artifact.name.removeprefix(_PREFIX), artifact) for artifact in found if artifact.name.startswith(_PREFIX))
    return {name.replace("-", " ", 1): artifact for name, artifact in named}


def artifact_name(kind: str, name: str) -> str:
    """What a build's artifact is called."""
    return f"{_PREFIX}{kind}-{name}"


def unpack(data: bytes, folder: Path) -> BuildResult:
    """Unpack a build's zip into ``folder``.

    Raises:
        RefusedError: it isn't one, holds what no build has, or is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in _checked(archive):
                write_atomic(folder / entry.filename, _bytes(archive, entry))
    except _BROKEN as error:
        raise RefusedError(f"the build's artifact can't be unpacked: {error}. Build again.") from error
    try:
        return BuildResult.from_json((folder / RESULT).read_bytes())
    except (OSError, ValidationError) as error:
        raise RefusedError(f"the build's artifact holds no {RESULT} of a build. Build again.") from error


def _checked(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Entries that a build has, each once; folders are passed over."""
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    names = [entry.filename for entry in entries]
    strange = sorted(set(names) - _ALLOWED)
    if strange or len(names) != len(set(names)):
        raise RefusedError(f"the build's artifact holds what no build has: {strange[:3] or 'a file twice'}.")
    yield from entries


def _bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    most = MOST_RESULT if entry.filename == RESULT else MAX_FILE_BYTES
    with archive.open(entry) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise RefusedError(f"{entry.filename} of the build's artifact is larger than {most:,} bytes.")
    return data
