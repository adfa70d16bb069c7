"""What is known of the deployed champion from its lock and the store."""

from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.contract import LogicalType
from dagster_project.domain.errors import UsageError
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.prediction import label_text
from dagster_project.inference.predictor import OnnxPredictor
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.bundles import load_manifest, load_model
from dagster_project.storage.store import ArtifactStore


def lock_of(watched: Watched) -> ChampionLock:
    """The champion's lock.

    Raises:
        UsageError: the model has none.
    """
    if watched.lock is None:
        name = watched.spec.name
        raise UsageError(f"{name} has no champion, so nothing answers: acts promote {name} writes the first lock.")
    return watched.lock


def manifest_of(watched: Watched) -> BundleManifest:
    """The manifest of the champion's bundle."""
    return load_manifest(ArtifactStore.of(watched.workspace), lock_of(watched).bundle)


def predictor_of(watched: Watched) -> OnnxPredictor:
    """The champion, ready to be asked."""
    manifest = manifest_of(watched)
    return OnnxPredictor(load_model(ArtifactStore.of(watched.workspace), manifest), manifest)


def positive_text(watched: Watched) -> str:
    """Of two classes the one that counts as positive, as the log writes it: the spec's, else the last one."""
    if watched.spec.positive is not None:
        return label_text(watched.spec.positive)
    if watched.contract.column(watched.spec.target).logical_type is LogicalType.BOOLEAN:
        return label_text(True)
    return label_text(manifest_of(watched).classes[-1])
