"""What can be said of a bundle without running it: parity as its build measured it, and whether it is whole."""

from dagster_project.domain.bundle import REQUIRED, BundleManifest
from dagster_project.domain.gates import ParityGate
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore

PARITY, COMPLETE = "parity", "bundle_complete"
MOST_PARITY = float(ParityGate.model_fields["maximum"].default)


def bundle_findings(store: ArtifactStore, digest: str) -> tuple[Finding, Finding]:
    """Parity and completeness of a bundle in the store."""
    manifest = load_manifest(store, digest)
    return parity_finding(manifest), completeness_finding(store, manifest)


def parity_finding(manifest: BundleManifest) -> Finding:
    """Whether the build itself says that the ONNX file answers as the estimator did."""
    parity = manifest.parity
    same = parity.maximum_difference <= MOST_PARITY and parity.flipped_labels == 0
    return Finding(
        name=PARITY,
        source="build",
        outcome=Outcome.PASSED if same else Outcome.FAILED,
        summary=f"largest difference {parity.maximum_difference:.2g}, {parity.flipped_labels} labels flipped, "
        f"{parity.rows:,} rows; planted: {', '.join(parity.planted) or 'none'}",
        hint="" if same else "The export of this family is not faithful: use another family or transform.",
        rows="validation",
        value=f"{parity.maximum_difference:.3g}",
        bound=f"{MOST_PARITY:g}",
    )


def completeness_finding(store: ArtifactStore, manifest: BundleManifest) -> Finding:
    """Whether every file that a bundle must have is named and there. Harmed bytes are the store's error."""
    absent = sorted(set(REQUIRED) - set(manifest.files))
    absent += [name for name, entry in manifest.files.items() if not store.has(entry.digest)]
    sizes = ", ".join(f"{name} {entry.size:,} bytes" for name, entry in manifest.files.items())
    return Finding(
        name=COMPLETE,
        source="build",
        outcome=Outcome.FAILED if absent else Outcome.PASSED,
        summary=f"missing: {', '.join(absent)}" if absent else sizes,
        hint="Build the model again, or point ACTS_STORE at the store that has them." if absent else "",
    )
