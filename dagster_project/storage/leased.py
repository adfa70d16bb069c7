"""What a lease's pods left in its folder: a stranger's bytes, bounded and verified before they are taken over."""

import tempfile
from pathlib import Path

from pydantic import ValidationError

from dagster_project.domain.build import TrainingResult
from dagster_project.domain.bundle import MAX_FILE_BYTES
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.domain.lease import LeaseFolder
from dagster_project.storage.bundles import MAX_MANIFEST_BYTES, fetch_bundle, load_manifest, store_bundle
from dagster_project.storage.files import location
from dagster_project.storage.folders import forget_listings
from dagster_project.storage.store import ArtifactStore

MOST_RESULT = 4 * 1024**2


def take_over(folder: LeaseFolder, store: ArtifactStore, build_key: str) -> TrainingResult:
    """The result, its bundle verified and put into ``store``.

    Raises:
        RefusedError: the bytes are too many, not what their digests say, or of another build.
        MachineryError: there are none, or storage does not answer.
    """
    forget_listings(location(folder.uri))
    result, source = read_result(folder), ArtifactStore(folder.store)
    _check_size(source, result.bundle, MAX_MANIFEST_BYTES)
    manifest = load_manifest(source, result.bundle)
    if manifest.build_key != build_key:
        raise RefusedError(f"{folder.uri}: the bundle is of another build than was asked for. Run the build again.")
    for entry in manifest.files.values():
        _check_size(source, entry.digest, MAX_FILE_BYTES)
    with tempfile.TemporaryDirectory(prefix="acts-bundle-") as place:
        fetch_bundle(source, result.bundle, Path(place))
        taken = store_bundle(store, Path(place))
    if taken != result.bundle:
        raise RefusedError(f"{folder.uri}: the bundle is not the one that the result names. Run the build again.")
    return result


def read_result(folder: LeaseFolder) -> TrainingResult:
    """The result that the training program wrote; raises as :func:`take_over`."""
    path = location(folder.result)
    try:
        if path.stat().st_size > MOST_RESULT:
            raise RefusedError(f"{path}: more than {MOST_RESULT:,} bytes are no result. Run the build again.")
        return TrainingResult.from_json(path.read_bytes())
    except FileNotFoundError as error:
        words = "the training program ended well but left no result"
        raise MachineryError(f"{path}: {words}. Run the build again.") from error
    except ValidationError as error:
        raise RefusedError(f"{path}: no result: {error.errors()[0]['msg']}. Run the build again.") from error
    except OSError as error:
        raise MachineryError(f"{path}: can't be read: {error}.") from error


def remove_folder(folder: LeaseFolder) -> str:
    """Remove everything of a lease; empty, or what stood in the way: a life-cycle rule of the bucket is behind us."""
    path = location(folder.uri)
    try:
        forget_listings(path)
        if path.exists():
            path.fs.rm(path.path, recursive=True)
    except OSError as error:
        return f"{folder.uri} is not removed: {error}"
    return ""


def _check_size(store: ArtifactStore, digest: str, most: int) -> None:
    if store.has(digest) and store.size(digest) > most:
        raise RefusedError(f"{store.where(digest)}: more than {most:,} bytes. Nothing is taken.")
