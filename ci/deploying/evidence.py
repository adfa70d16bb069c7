"""What the store and the servers know of the locks of a commit. Nothing is written."""

from pydantic import ValidationError

from ci.deploying.desired import Evidence
from dagster_project.domain.bundle import MODEL, BundleManifest
from dagster_project.domain.deployment import DesiredState
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.repository import Repository
from dagster_project.domain.verdict import Verdict
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.store import ArtifactStore


def gather(repository: Repository, deployments: Deployments, published: DesiredState | None) -> dict[str, Evidence]:
    """By model with a lock. A graph that is not published yet is read and hashed; the others were once.

    Raises:
        MachineryError: the servers' rejections can't be read.
    """
    served = {model.onnx for model in published.models.values()} if published else set()
    return {name: _evidence(lock, deployments, served) for name, lock in repository.locks.items()}


def _evidence(lock: ChampionLock, deployments: Deployments, served: set[str]) -> Evidence:
    store = deployments.store
    faults: list[str] = []
    verdict = _verdict(store, lock, faults)
    # A bundle that the verdict does not speak of is no loss: the lock was edited by hand.
    manifest = _manifest(store, lock, faults if verdict is None or verdict.challenger == lock.bundle else [])
    for name, entry in manifest.files.items() if manifest else ():
        if not store.has(entry.digest):
            faults.append(f"{name} of the bundle {lock.bundle[:19]} is not in the store ({store.root}).")
        elif name == MODEL and entry.digest not in served:
            _hashed(store, entry.digest, faults)
    rejection = deployments.is_rejected(lock.model, lock.onnx, lock.content_digest())
    return Evidence(verdict=verdict, manifest=manifest, faults=tuple(faults), rejection=rejection)


def _verdict(store: ArtifactStore, lock: ChampionLock, faults: list[str]) -> Verdict | None:
    if not _has(store, lock.verdict):
        return None
    try:
        return Verdict.from_json(store.get(lock.verdict))
    except ValidationError:
        return None  # the lock names an artifact that is no verdict, so nothing allows it
    except MachineryError as error:
        faults.append(str(error))
        return None


def _manifest(store: ArtifactStore, lock: ChampionLock, faults: list[str]) -> BundleManifest | None:
    if not _has(store, lock.bundle):
        faults.append(f"the bundle {lock.bundle[:19]} is not in the store ({store.root}).")
        return None
    try:
        return load_manifest(store, lock.bundle)
    except (MachineryError, RefusedError) as error:
        faults.append(str(error))
        return None


def _hashed(store: ArtifactStore, digest: str, faults: list[str]) -> None:
    try:
        store.get(digest)
    except MachineryError as error:
        faults.append(str(error))


def _has(store: ArtifactStore, digest: str) -> bool:
    try:
        return store.has(digest)
    except MachineryError:
        return False  # somebody wrote into the lock what is no digest: nothing is known by that name
