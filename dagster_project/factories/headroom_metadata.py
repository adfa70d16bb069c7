"""A candidate's headroom report on its asset: where the next gain is, the learning curve, the loss of each source."""

from typing import Any

import dagster as dg

from dagster_project.domain.bundle import HEADROOM, BundleManifest
from dagster_project.domain.headroom_report import HeadroomReport
from dagster_project.domain.headroom_words import headroom_words, next_gain
from dagster_project.factories.checks import table
from dagster_project.factories.plots import between, whiskers
from dagster_project.storage.store import ArtifactStore


def headroom_metadata(store: ArtifactStore, manifest: BundleManifest) -> dict[str, Any]:
    """Nothing where the spec did not ask."""
    entry = manifest.files.get(HEADROOM)
    if entry is None:
        return {}
    report = HeadroomReport.from_json(store.get(entry.digest))
    words = ((sentence,) for sentence in headroom_words(report)[1:])
    shown: dict[str, Any] = {
        "next_gain": next_gain(report),
        "headroom": dg.MetadataValue.md(table(("better data or a better model?",), words)),
    }
    return shown | {name: dg.MetadataValue.md(picture) for name, picture in _pictures(report).items()}


def _pictures(report: HeadroomReport) -> dict[str, str]:
    found = {}
    points = [(p.rows, p.metric) for p in (report.curve.points if report.curve else ()) if p.metric]
    if len(points) > 1:
        found["learning_curve"] = between(
            {rows: (value.value, value.low, value.high) for rows, value in points},
            "Learning curve on validation rows",
            "train rows",
            report.metric,
        )
    losses = {s.name: s.loss for s in (report.sources.sources if report.sources else ()) if s.loss}
    if losses:
        limits = {name: (loss.value, loss.low, loss.high) for name, loss in losses.items()}
        found["source_losses"] = whiskers(limits, "Lost without each source", report.metric)
    return found
