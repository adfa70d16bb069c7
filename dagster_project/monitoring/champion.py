"""What is known of the deployed champion from its lock, the store and the rows that it was made of."""

from typing import TYPE_CHECKING

from dagster_project.data.records import find_snapshot
from dagster_project.data.splits import Part, read_part
from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.contract import LogicalType
from dagster_project.domain.errors import RefusedError, UsageError
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.prediction import label_text
from dagster_project.inference.frames import tensors
from dagster_project.inference.predictor import Answers, OnnxPredictor
from dagster_project.monitoring.watched import Watched
from dagster_project.storage.bundles import load_manifest, load_model
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


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


def rows_of_champion(watched: Watched, part: Part, most: int | None = None) -> "pl.DataFrame | None":
    """A part of the rows that the champion was made of, or a sample of ``most`` of them.

    None where its snapshot is not kept here, or the spec or the contract has changed so far that they can't be had.
    """
    snapshot = find_snapshot(watched.contract.name, lock_of(watched).snapshot, watched.workspace)
    if snapshot is None:
        return None
    try:
        rows = read_part(watched.spec, watched.contract, snapshot, part)
    except RefusedError:
        return None
    return rows if most is None else rows.sample(min(rows.height, most), seed=0)


def asked_again(watched: Watched, rows: "pl.DataFrame") -> Answers | None:
    """The champion's answers to rows of the dataset; None where they lack what it takes."""
    predictor = predictor_of(watched)
    try:
        return predictor.predict(tensors(rows, predictor.manifest.inputs))
    except RefusedError:
        return None


def positive_scores(watched: Watched, answers: Answers) -> "np.ndarray":
    """Of two classes the probability (n,) of the one that counts as positive."""
    import numpy as np

    classes = [label_text(label) for label in answers.classes]
    return np.asarray(answers.scores)[:, classes.index(positive_text(watched))]


def positive_text(watched: Watched) -> str:
    """Of two classes the one that counts as positive, as the log writes it: the spec's, else the last one."""
    if watched.spec.positive is not None:
        return label_text(watched.spec.positive)
    if watched.contract.column(watched.spec.target).logical_type is LogicalType.BOOLEAN:
        return label_text(True)
    return label_text(manifest_of(watched).classes[-1])
