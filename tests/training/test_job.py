"""The training program as Dagster starts it: one run of it, looked at from all sides."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.bundle import MODEL, PARITY, REFERENCE, TRIALS, Input, Reference
from dagster_project.domain.families import families_for
from dagster_project.inference.predictor import OnnxPredictor
from dagster_project.storage.bundles import fetch_bundle, read_bundle
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.reference import masked
from dagster_project.training.watcher import session_processes

from .conftest import OWN, make_request, run_job


@pytest.fixture(scope="module")
def built(tmp_path_factory, tables, environment):
    """A search over every family for a binary target, with ASHA, and one trial that must fail."""
    folder = tmp_path_factory.mktemp("built")
    families = [name for name in families_for("binary") if name != OWN]
    candidates = [{"family": name, "search": {"n_estimators": 10}} for name in ("random_forest", "extra_trees")]
    candidates += [{"family": "hist_gradient_boosting", "search": {"max_iter": 10}}, {"family": "logistic_regression"}]
    candidates += [{"family": "mlp", "search": {"hidden": "16", "epochs": 6, "batch_size": 64}}]
    candidates += [{"family": "extra_trees", "search": {"n_estimators": 5, "max_features": "no such thing"}}]
    assert {candidate["family"] for candidate in candidates} == set(families)
    request = make_request(
        folder, tables["binary"], "binary", candidates=candidates, search={"trials": 8, "scheduler": "asha"}
    )
    with tempfile.TemporaryDirectory(prefix="acts-t-") as temporary:  # a short name: Ray's sockets lie below it
        run = run_job(request, {**environment, "TMPDIR": temporary})
        left = [*session_processes(temporary, {os.getpid()}), *Path(temporary).iterdir()]
    return request, run, left


def test_it_passes_and_says_so(built):
    request, run, _ = built
    assert run.returncode == 0, run.stderr
    result = TrainingResult.from_json(Path(request.result).read_bytes())
    assert (result.trials, result.failed) == (8, 1)
    assert {"ray", "load", "prepare", "search", "refit", "export", "parity"} <= set(result.seconds)
    assert 0.9 < result.value <= 1.0


def test_output_is_plain_lines(built):
    lines = built[1].stdout.splitlines()
    assert lines[0] == "398 train and 171 validation rows, 8 trials"
    assert lines[1].startswith("baseline: the train labels' mean or shares: roc_auc 0.5000 in ")
    assert sum(line.startswith("[") for line in lines) == 8
    assert any("extra_trees: failed: InvalidParameterError" in line for line in lines)
    assert lines[-1].startswith("bundle sha256:")
    assert "\x1b" not in built[1].stdout
    assert built[1].stderr == ""


def test_the_bundle_is_whole(built, tmp_path):
    request, *_ = built
    result = TrainingResult.from_json(Path(request.result).read_bytes())
    fetch_bundle(ArtifactStore(request.store), result.bundle, tmp_path)
    manifest = read_bundle(tmp_path)
    assert set(manifest.files) == {MODEL, TRIALS, PARITY, REFERENCE}
    assert manifest.onnx_digest == result.onnx
    assert manifest.content_digest() == result.bundle
    assert manifest.features == request.spec.features.names
    assert manifest.classes == (False, True)
    assert manifest.training_digest == request.spec.training_digest()
    assert manifest.rows == {"train": 398, "validation": 171}
    assert manifest.parity.maximum_difference <= 1e-5
    assert sum(manifest.importances.values()) == pytest.approx(1.0)
    assert manifest.claims["roc_auc"] == result.value


def test_the_claim_is_what_the_graph_does(built, tmp_path):
    import polars as pl
    from sklearn.metrics import roc_auc_score

    from dagster_project.inference.frames import tensors

    request, *_ = built
    result = TrainingResult.from_json(Path(request.result).read_bytes())
    manifest = fetch_bundle(ArtifactStore(request.store), result.bundle, tmp_path)
    rows = pl.read_parquet(request.split.validation.uri)
    answers = OnnxPredictor((tmp_path / MODEL).read_bytes(), manifest).predict(tensors(rows, manifest.inputs))
    assert answers.scores is not None
    assert roc_auc_score(rows["target"].to_numpy(), answers.scores[:, 1]) == pytest.approx(result.value, abs=1e-6)


def test_the_examples_are_what_the_graph_answers(built, tmp_path):
    request, *_ = built
    result = TrainingResult.from_json(Path(request.result).read_bytes())
    manifest = fetch_bundle(ArtifactStore(request.store), result.bundle, tmp_path)
    reference = Reference.from_json((tmp_path / REFERENCE).read_bytes())
    assert {example.outputs["label"] for example in reference.examples} == {False, True}
    assert {len(column) for column in reference.background.values()} == {64}
    predictor = OnnxPredictor((tmp_path / MODEL).read_bytes(), manifest)
    for example in reference.examples:
        columns = {
            entry.name: np.array([missing(entry.dtype) if (value := example.inputs[entry.name]) is None else value])
            for entry in manifest.inputs
        }
        answers = predictor.predict(columns)
        assert answers.labels.tolist() == [example.outputs["label"]]
        np.testing.assert_allclose(answers.scores[0], example.outputs["probabilities"], atol=1e-6)


def missing(dtype):
    return "" if dtype == "string" else np.nan


def test_a_restricted_column_shows_no_value():
    inputs = (
        Input(name="name", dtype="string"),
        Input(name="age", dtype="float32"),
        Input(name="seats", dtype="float32"),
    )
    columns = {"name": np.array([["Ada"]], object), "age": np.ones((1, 1)), "seats": np.ones((1, 1))}
    hidden = masked(columns, inputs, ("name", "age"))
    assert hidden["name"].tolist() == [[""]] and np.isnan(hidden["age"]).all() and hidden["seats"].tolist() == [[1.0]]
    assert columns["name"].tolist() == [["Ada"]]


def test_every_trial_is_kept(built, tmp_path):
    request, *_ = built
    result = TrainingResult.from_json(Path(request.result).read_bytes())
    fetch_bundle(ArtifactStore(request.store), result.bundle, tmp_path)
    *trials, baseline = json.loads((tmp_path / TRIALS).read_text())
    assert (baseline["number"], baseline["family"], baseline["value"]) == (8, "baseline", 0.5)
    assert [trial["number"] for trial in trials] == list(range(8))
    assert {trial["family"] for trial in trials} == set(families_for("binary")) - {OWN}
    (failed,) = (trial for trial in trials if trial["status"] == "failed")
    assert "max_features" in failed["error"] and failed["value"] is None
    best = max(trial["value"] for trial in trials if trial["value"] is not None)
    assert best == result.value


def test_nothing_is_left_behind(built):
    request, _, left = built
    assert left == []
    assert {path.name for path in Path(request.store).iterdir()} == {"blobs"}


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 2}'])
def test_a_bad_request_is_the_users(tmp_path, environment, text):
    file = tmp_path / "request.json"
    file.write_text(text)
    program = [sys.executable, "-m", "dagster_project.training.job", str(file)]
    run = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert "no build request" in run.stderr and "Traceback" not in run.stderr


def test_the_program_imports_no_dagster(environment):
    code = "import sys, dagster_project.training.job; print(sorted({m.split('.')[0] for m in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    heavy = {"dagster", "ray", "torch", "sklearn", "polars", "pandas", "numpy", "onnx", "ci"}
    assert not heavy & set(eval(run.stdout))


def test_a_request_survives_the_file(request_for):
    request = request_for("regression")
    assert BuildRequest.from_json(request.to_json()) == request
