"""Bundles in folders and in the store: a folder from anywhere is looked at before a byte of it is believed."""

import stat
from pathlib import Path

from pydantic import ValidationError

from dagster_project.domain.base import canonical_json, digest_of_bytes
from dagster_project.domain.bundle import FILES, MANIFEST, MAX_FILE_BYTES, MODEL, BundleManifest
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.storage.files import write_atomic
from dagster_project.storage.store import ArtifactStore

MAX_MANIFEST_BYTES = 4 * 1024 * 1024


def read_bundle(folder: Path) -> BundleManifest:
    """The manifest of a bundle that holds exactly what its manifest says.

    Raises:
        RefusedError: a file is missing, extra, a link, no plain file, too large, or not the bytes that it claims.
    """
    manifest = parse_manifest(_plain_bytes(folder / MANIFEST, MAX_MANIFEST_BYTES))
    found = {path.name for path in folder.iterdir()}
    expected = {MANIFEST, *manifest.files}
    if found != expected:
        extra, missing = sorted(found - expected), sorted(expected - found)
        raise RefusedError(f"{folder}: files that don't belong: {extra}; missing: {missing}. Build the bundle again.")
    for name, entry in manifest.files.items():
        data = _plain_bytes(folder / name, MAX_FILE_BYTES)
        if len(data) != entry.size or digest_of_bytes(data) != entry.digest:
            raise RefusedError(f"{folder / name}: not the bytes that the manifest names. Build the bundle again.")
    return manifest


def store_bundle(store: ArtifactStore, folder: Path) -> str:
    """Verify ``folder`` and keep it; the bundle's digest."""
    manifest = read_bundle(folder)
    for name, entry in manifest.files.items():
        if store.put((folder / name).read_bytes()) != entry.digest:
            raise RefusedError(f"{folder / name}: changed while it was stored. Build the bundle again.")
    return store.put(canonical_json(manifest.model_dump(mode="json")))


def load_manifest(store: ArtifactStore, digest: str) -> BundleManifest:
    """The manifest of a stored bundle."""
    return parse_manifest(store.get(digest))


def load_model(store: ArtifactStore, manifest: BundleManifest) -> bytes:
    """Bytes of the bundle's ONNX file."""
    return store.get(manifest.onnx_digest)


def is_complete(store: ArtifactStore, digest: str) -> bool:
    """Whether the manifest and every file that it names are in the store."""
    return store.has(digest) and all(store.has(entry.digest) for entry in load_manifest(store, digest).files.values())


def fetch_bundle(store: ArtifactStore, digest: str, folder: Path) -> BundleManifest:
    """Write a stored bundle into ``folder``, the manifest last."""
    manifest = load_manifest(store, digest)
    for name, entry in manifest.files.items():
        write_atomic(folder / name, store.get(entry.digest))
    write_atomic(folder / MANIFEST, manifest.to_json().encode())
    return manifest


def parse_manifest(data: bytes) -> BundleManifest:
    """A manifest from a stranger's bytes.

    Raises:
        RefusedError: it isn't a manifest, or it names files that no bundle has.
    """
    try:
        manifest = BundleManifest.from_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise RefusedError(f"{MANIFEST}: {where}: {first['msg']}. Build the bundle again.") from error
    unknown = sorted(set(manifest.files) - set(FILES))
    if unknown or MODEL not in manifest.files:
        raise RefusedError(f"{MANIFEST}: a bundle holds {', '.join(FILES)}; this one also names {unknown}.")
    return manifest


def _plain_bytes(path: Path, limit: int) -> bytes:
    try:
        status = path.lstat()
    except FileNotFoundError as error:
        raise RefusedError(f"{path}: missing. Build the bundle again.") from error
    except OSError as error:
        raise MachineryError(f"{path}: {error.strerror}.") from error
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        raise RefusedError(f"{path}: a link or no plain file. A bundle holds plain files only.")
    if status.st_size > limit:
        raise RefusedError(f"{path}: {status.st_size} bytes, more than the {limit} that a bundle's file may have.")
    return path.read_bytes()
