"""What is written down about a bundle that somebody stands for."""

from ci.github.submission import Submission
from dagster_project.domain.bundle import Provenance
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore


def provenance_of(store: ArtifactStore, submission: Submission, bundle: str) -> Provenance:
    """Of a stored bundle that the submission's run built; whether it may be promoted its standing says."""
    manifest = load_manifest(store, bundle)
    return Provenance(
        bundle=bundle,
        build_key=manifest.build_key,
        model=manifest.model,
        commit=submission.head,
        snapshot=manifest.snapshot,
        environment=manifest.environment_digest,
        run=submission.run_url,
        launcher=submission.launcher,
    )
