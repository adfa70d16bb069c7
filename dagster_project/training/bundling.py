"""A bundle on its way into the store: files first, the manifest last."""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.build import BuildRequest
from dagster_project.domain.bundle import (
    HEADROOM,
    MANIFEST,
    MODEL,
    PARITY,
    REFERENCE,
    TRIALS,
    BundleFile,
    BundleManifest,
    Parity,
    Reference,
    Streamed,
    Trial,
)
from dagster_project.domain.families import outputs_of
from dagster_project.domain.headroom_report import HeadroomReport
from dagster_project.storage.bundles import store_bundle
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.candidate import Candidate
from dagster_project.training.rows import Data


def bundle_files(
    model: bytes, trials: Iterable[Trial], parity: Parity, headroom: HeadroomReport | None = None
) -> dict[str, bytes]:
    """The bundle's files beside its manifest."""
    course = [trial.model_dump(mode="json") for trial in trials]
    files = {MODEL: model, TRIALS: _json(course), PARITY: parity.to_json().encode()}
    return files if headroom is None else {**files, HEADROOM: headroom.to_json().encode()}


def make_manifest(
    request: BuildRequest,
    data: Data,
    candidate: Candidate,
    parity: Parity,
    files: dict[str, bytes],
) -> BundleManifest:
    """What the bundle says about itself. Its claims can make a verdict fail, never pass."""
    spec = request.spec
    return BundleManifest(
        model=spec.name,
        task=spec.task,
        target=spec.target,
        family=candidate.family,
        parameters=candidate.parameters,
        features=spec.features.names,
        inputs=data.inputs,
        outputs=outputs_of(spec.task),
        classes=data.classes,
        dataset=spec.contract.name,
        contract_version=request.snapshot.contract_version,
        snapshot=request.snapshot.digest,
        build_key=request.build_key,
        training_digest=spec.training_digest(),
        code_digest=request.code_digest,
        environment_digest=request.environment_digest,
        seed=spec.search.seed,
        rows=data.counts,
        streamed=_streamed(request, data),
        claims={spec.search.metric: candidate.value},
        parity=parity,
        files={name: _file(bytes_) for name, bytes_ in files.items()},
    )


def with_reference(
    manifest: BundleManifest, files: dict[str, bytes], reference: Reference
) -> tuple[BundleManifest, dict[str, bytes]]:
    """The bundle with its answers beside it, which only the finished graph can give."""
    data = reference.to_json().encode()
    entries = {**manifest.files, REFERENCE: _file(data)}
    return manifest.model_copy(update={"files": entries}), {**files, REFERENCE: data}


def _streamed(request: BuildRequest, data: Data) -> Streamed | None:
    return Streamed(memory=request.memory, cpus=request.cpus) if data.stream and request.memory else None


def _file(data: bytes) -> BundleFile:
    return BundleFile(digest=digest_of_bytes(data), size=len(data))


def keep_bundle(store: ArtifactStore, manifest: BundleManifest, files: dict[str, bytes]) -> str:
    """Write the bundle aside, verify it there, and store it; the bundle's digest."""
    with tempfile.TemporaryDirectory(prefix="acts-bundle-") as name:
        folder = Path(name)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        (folder / MANIFEST).write_text(manifest.to_json())
        return store_bundle(store, folder)


def _json(value: Any) -> bytes:
    return (json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()
