"""Models as judge sees them: a manifest, and bytes that answer. Nothing of the build's code is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagster_project.domain.bundle import BundleManifest
from dagster_project.storage.bundles import load_manifest, load_model
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    import polars as pl

    from dagster_project.inference.predictor import Answers, OnnxPredictor


@dataclass(frozen=True)
class JudgedModel:
    """A bundle whose ONNX file was inspected and loaded."""

    bundle: str
    manifest: BundleManifest
    data: bytes
    predictor: OnnxPredictor

    def answers(self, frame: pl.DataFrame) -> Answers:
        """Answers to the frame's rows, in their order."""
        from dagster_project.inference.frames import tensors

        return self.predictor.predict(tensors(frame, self.manifest.inputs))


def load_judged(store: ArtifactStore, bundle: str) -> JudgedModel:
    """The stored bundle, ready to answer.

    Raises:
        RefusedError: its ONNX file is refused.
        MachineryError: the store does not have it, or its bytes are not what its digest says.
    """
    from dagster_project.inference.limits import Limits
    from dagster_project.inference.predictor import OnnxPredictor

    manifest = load_manifest(store, bundle)
    data = load_model(store, manifest)
    return JudgedModel(bundle, manifest, data, OnnxPredictor(data, manifest, limits=Limits()))
