"""What people look at on a model's assets: columns, parts, the search's course, the candidate's evidence."""

from typing import Any

import dagster as dg

from dagster_project.domain.bundle import TRIALS, BundleManifest, Trial
from dagster_project.domain.contract import DataContract
from dagster_project.domain.gpu_words import gpu_rows
from dagster_project.domain.lease import LeaseEnd, amount_of
from dagster_project.domain.metrics import METRICS
from dagster_project.domain.projection import Projection
from dagster_project.domain.snapshot import Snapshot, SplitResult
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.answers import answer_plots
from dagster_project.factories.checks import table
from dagster_project.factories.dataset_metadata import MOST_BARS
from dagster_project.factories.headroom_metadata import headroom_metadata
from dagster_project.factories.plots import bars, course
from dagster_project.factories.training_run import Trained
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.store import ArtifactStore


def features_metadata(projection: Projection, contract: DataContract, snapshot: Snapshot) -> dict[str, Any]:
    """Each column with its kind, unit and share of missing values."""
    import polars as pl

    from dagster_project.data.datasets import read

    counts = read(snapshot, columns=list(projection.names)).select(pl.all().null_count()).collect().row(0, named=True)
    shares = {name: count / max(snapshot.rows, 1) for name, count in counts.items()}
    rows = (
        (name, _read_as(name, projection), column.unit or "", f"{shares[name]:.2%}")
        for name in projection.names
        for column in [contract.column(name)]
    )
    shown = {
        "numeric": len(projection.numeric),
        "categorical": len(projection.categorical),
        "wide": len(projection.shapes),
        "columns": dg.MetadataValue.md(table(("column", "read as", "unit", "missing"), rows)),
    }
    if any(shares.values()):
        worst = dict(sorted(shares.items(), key=lambda item: -item[1])[:MOST_BARS])
        shown["missing_shares"] = dg.MetadataValue.md(bars(worst, "Missing values of features", "share of rows"))
    return shown


def _read_as(name: str, projection: Projection) -> str:
    return projection.modalities.get(name) or ("number" if name in projection.numeric else "category")


def split_metadata(spec: ModelSpec, parts: SplitResult) -> dict[str, Any]:
    """Rows, labels and digest of each part that a build may see."""
    named = {"train": parts.train, "validation": parts.validation}
    rows = ((name, f"{part.rows:,}", f"{part.labelled:,}", part.digest[:19]) for name, part in named.items())
    return {
        "by": spec.split.by,
        "train_rows": parts.train.rows,
        "validation_rows": parts.validation.rows,
        "parts": dg.MetadataValue.md(table(("part", "rows", "labelled", "digest"), rows)),
        "snapshot": parts.snapshot,
    }


def search_metadata(spec: ModelSpec, done: Trained, workspace: Workspace) -> dict[str, Any]:
    """Every trial, failed ones with their reason, and the course of the search."""
    store = ArtifactStore.of(workspace)
    trials = trials_of(store, load_manifest(store, done.bundle))
    ended = [trial.status for trial in trials if not trial.is_baseline]
    counts = {status: ended.count(status) for status in ("completed", "stopped", "failed")}
    rows = (
        (t.number, t.family, t.status, "" if t.value is None else f"{t.value:.5g}", f"{t.seconds:.1f}", _remark(t))
        for t in trials
    )
    head = ("trial", "family", "status", spec.search.metric, "seconds", "parameters")
    return {
        **counts,
        "metric": spec.search.metric,
        "reused": done.reused,
        "trials": dg.MetadataValue.md(table(head, rows)),
        "course": dg.MetadataValue.md(
            course(trials, spec.search.metric, METRICS[spec.search.metric].greater_is_better)
        ),
        **{f"seconds_{stage}": seconds for stage, seconds in done.stages.items()},
        **(lease_metadata(done.lease) if done.lease else {}),
    }


def lease_metadata(end: LeaseEnd) -> dict[str, Any]:
    """What was leased: machines, time, money, what the GPUs did; and all of it as data."""
    rows = ((n.kind, n.name, f"{n.seconds / 60:.1f}", n.gpus, f"{amount_of([n]):,.4f}") for n in end.nodes)
    shown = {
        "cost": end.amount,
        "currency": end.currency,
        "machine_minutes": round(sum(node.seconds for node in end.nodes) / 60, 2),
        "machines": dg.MetadataValue.md(table(("kind", "name", "minutes", "GPUs", end.currency), rows)),
        "lease": dg.MetadataValue.json(end.model_dump(mode="json")),
    }
    if end.gpu:
        shown["gpu"] = dg.MetadataValue.md(table(("", ""), gpu_rows(end.gpu)))
    return shown


def candidate_metadata(spec: ModelSpec, split: SplitResult, done: Trained, workspace: Workspace) -> dict[str, Any]:
    """The bundle: what it is, what it claims, how its ONNX file answers to the validation rows."""
    store = ArtifactStore.of(workspace)
    manifest = load_manifest(store, done.bundle)
    importances = dict(sorted(manifest.importances.items(), key=lambda item: -item[1])[:MOST_BARS])
    shown = {
        "bundle": done.bundle,
        "build_key": done.build_key,
        "reused": done.reused,
        "seconds": done.seconds,
        "family": manifest.family,
        "parameters": dg.MetadataValue.md(table(("parameter", "value"), manifest.parameters.items())),
        "claims": dg.MetadataValue.md(table(("metric on validation rows", "value"), manifest.claims.items())),
        "parity": manifest.parity.maximum_difference,
        "onnx": manifest.onnx_digest,
        "onnx_bytes": manifest.files["model.onnx"].size,
        "snapshot": manifest.snapshot,
        "files": dg.MetadataValue.md(_files(store, manifest)),
    }
    if importances:
        shown["importances"] = dg.MetadataValue.md(bars(importances, "Importance of columns", "share"))
    shown |= headroom_metadata(store, manifest)
    plots = answer_plots(spec, manifest, store, split.validation)
    return shown | {name: dg.MetadataValue.md(picture) for name, picture in plots.items()}


def trials_of(store: ArtifactStore, manifest: BundleManifest) -> tuple[Trial, ...]:
    """The search's trials, in their order."""
    from pydantic import TypeAdapter

    trials = TypeAdapter(tuple[Trial, ...]).validate_json(store.get(manifest.files[TRIALS].digest))
    return tuple(sorted(trials, key=lambda trial: trial.number))


def _remark(trial: Trial) -> str:
    if trial.error:
        return trial.error.strip().splitlines()[-1][:200]
    return ", ".join(f"{name} {value}" for name, value in trial.parameters.items())


def _files(store: ArtifactStore, manifest: BundleManifest) -> str:
    rows = ((name, f"{entry.size:,}", store.where(entry.digest)) for name, entry in manifest.files.items())
    return table(("file", "bytes", "where"), rows)
