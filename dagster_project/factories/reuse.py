"""What need not be built again. No Dagster here: the command line asks this before it starts Dagster."""

from typing import NamedTuple

from dagster_project.domain.fingerprint import build_key, code_digest, environment_digest
from dagster_project.domain.spec import ModelSpec
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore


class Keys(NamedTuple):
    """What a model's build depends on."""

    build: str
    code: str
    environment: str


def keys_of(spec: ModelSpec, snapshot_digest: str) -> Keys:
    """The build key of ``spec`` over a snapshot, with the digests of code and environment that went into it."""
    code = code_digest(tuple(candidate.family for candidate in spec.candidates))
    environment = environment_digest()
    return Keys(build_key(spec, snapshot_digest, code, environment), code, environment)


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
