"""What need not be built again. No Dagster here: the command line asks this before it starts Dagster."""

from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore


def build_ref(model: str, key: str) -> str:
    """The name in the store that a build's key has."""
    return f"builds/{model}/{key}"


def stored_bundle(store: ArtifactStore, model: str, key: str) -> str | None:
    """Digest of the bundle that was built with this key, every byte of it hashed again; None where there is none.

    Raises:
        MachineryError: the store is harmed: a file is missing or is not what its digest says.
    """
    ref = store.get_ref(build_ref(model, key))
    if ref is None:
        return None
    digest = str(ref["bundle"])
    for entry in load_manifest(store, digest).files.values():
        store.get(entry.digest)
    return digest
