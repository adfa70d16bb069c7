"""How the bundle's ONNX file answers to the validation rows, as pictures: ROC, calibration, residuals."""

from typing import TYPE_CHECKING

from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.snapshot import SplitRows
from dagster_project.domain.spec import ModelSpec
from dagster_project.factories.plots import Points, columns, unit_square
from dagster_project.storage.bundles import load_model
from dagster_project.storage.store import ArtifactStore

if TYPE_CHECKING:
    import numpy as np

MOST_ROWS = 20_000
THIN = 100
BINS = 10


def answer_plots(spec: ModelSpec, manifest: BundleManifest, store: ArtifactStore, part: SplitRows) -> dict[str, str]:
    """Markdown pictures by name, from at most ``MOST_ROWS`` labelled validation rows, evenly picked."""
    import polars as pl

    from dagster_project.inference.frames import tensors
    from dagster_project.inference.predictor import OnnxPredictor

    labelled = pl.scan_parquet(part.uri).filter(pl.col(spec.target).is_not_null())
    frame = labelled.select(*manifest.features, spec.target).collect()
    frame = frame.gather_every(max(1, -(-len(frame) // MOST_ROWS)))
    answers = OnnxPredictor(load_model(store, manifest), manifest).predict(tensors(frame, manifest.inputs))
    if answers.scores is None:
        return {"residuals": _residuals(frame[spec.target].to_numpy() - answers.labels)}
    truth = frame[spec.target].to_numpy()
    hits = {str(name): truth == name for name in manifest.classes}
    if len(hits) == 2:
        chosen = manifest.classes.index(spec.positive) if spec.positive in manifest.classes else 1
        hits = {str(manifest.classes[chosen]): truth == manifest.classes[chosen]}
    scores = {name: answers.scores[:, [str(c) for c in manifest.classes].index(name)] for name in hits}
    return {
        "roc": unit_square(
            {name: roc_points(scores[name], hit) for name, hit in hits.items()},
            "ROC on validation rows",
            "false positive rate",
            "true positive rate",
        ),
        "calibration": unit_square(
            {name: reliability(scores[name], hit) for name, hit in hits.items()},
            "Calibration on validation rows",
            "predicted probability",
            "observed share",
        ),
    }


def roc_points(scores: "np.ndarray", hit: "np.ndarray") -> Points:
    """The ROC curve from (0, 0) to (1, 1), thinned. ``scores`` (n,), ``hit`` (n,) booleans."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # equal scores move together
    caught, false = np.cumsum(hit[order])[ends], np.cumsum(~hit[order])[ends]
    kept = np.unique(np.linspace(0, len(ends) - 1, THIN).astype(int))
    rates = np.stack([false[kept] / max(false[-1], 1), caught[kept] / max(caught[-1], 1)], axis=1)
    return [(0.0, 0.0), *((float(x), float(y)) for x, y in rates)]


def reliability(scores: "np.ndarray", hit: "np.ndarray") -> Points:
    """(mean predicted, observed share) of equally filled bins (Guo et al. 2017)."""
    import numpy as np

    bins = [part for part in np.array_split(np.argsort(scores, kind="stable"), BINS) if len(part)]
    return [(float(scores[part].mean()), float(hit[part].mean())) for part in bins]


def _residuals(values: "np.ndarray") -> str:
    import numpy as np

    low, high = np.quantile(values, [0.005, 0.995])
    counts, edges = np.histogram(values, bins=40, range=(low, high) if low < high else None)
    return columns(edges.tolist(), counts.tolist(), "Residuals on validation rows", "label minus answer")
