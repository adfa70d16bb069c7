"""The examination inside the training program, on Ray: the same numbers as one fit after another, in the bundle."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dagster_project.domain.build import BuildRequest, TrainingResult
from dagster_project.domain.bundle import HEADROOM, REQUIRED, BundleManifest
from dagster_project.domain.headroom_report import HeadroomReport
from dagster_project.domain.headroom_words import next_gain
from dagster_project.factories.headroom_metadata import headroom_metadata
from dagster_project.storage.bundles import fetch_bundle, load_manifest, read_bundle
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.headroom.asked import Asked
from dagster_project.training.headroom.beside import LATE
from dagster_project.training.headroom.examine import examine, examine_beside, hindrance
from tests.training.conftest import run_job

from .planted import FAMILY, asked_of, coin, examined, numbers, one_by_one, sigmoid, table

SOURCES = {"needed": ("x0",), "useless": ("x1", "x2")}
WHEN = {"seconds"}


def planted(folder: Path, **changes: Any) -> Asked:
    matrix = numbers(1500, 3, 1)
    frame = table(matrix, (matrix @ np.array([3.0, 0.2, 0.0]) > 0) ^ coin(np.full(1500, 0.08), 5))
    return asked_of(folder, frame, sources_by_name=SOURCES, **changes)


def left_by(request: BuildRequest, run: "subprocess.CompletedProcess[str]") -> tuple[BundleManifest, HeadroomReport]:
    assert run.returncode == 0, run.stderr
    result, store = TrainingResult.from_json(Path(request.result).read_bytes()), ArtifactStore(request.store)
    manifest = load_manifest(store, result.bundle)
    return manifest, HeadroomReport.from_json(store.get(manifest.files[HEADROOM].digest))


def untimed(value: Any) -> Any:
    """JSON without what a clock says."""
    if isinstance(value, dict):
        return {key: untimed(inner) for key, inner in value.items() if key not in WHEN}
    return [untimed(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def built(tmp_path_factory, environment):
    asked = planted(tmp_path_factory.mktemp("built"))
    return asked, run_job(asked.request, environment)


def test_the_bundle_has_what_fits_in_a_row_find(built, tmp_path):
    asked, run = built
    manifest, report = left_by(asked.request, run)
    assert set(manifest.files) == {*REQUIRED, HEADROOM}
    alone = examine(asked.request, asked.data, asked.best, one_by_one(asked))
    assert untimed(report.model_dump(mode="json")) == untimed(alone.model_dump(mode="json"))
    assert report.seconds > 0 and report.curve and all(point.seconds > 0 for point in report.curve.points)
    result = TrainingResult.from_json(Path(asked.request.result).read_bytes())
    assert report.curve.points[-1].metric and report.curve.points[-1].metric.value == pytest.approx(result.value)
    fetch_bundle(ArtifactStore(asked.request.store), result.bundle, tmp_path)
    assert read_bundle(tmp_path) == manifest


def test_the_program_says_where_the_next_gain_is(built):
    asked, run = built
    report = left_by(asked.request, run)[1]
    assert next_gain(report) in run.stdout.splitlines()
    assert report.noise and report.noise.suspected
    assert report.sources and [source.name for source in report.sources.sources] == ["needed", "useless"]
    assert "headroom" in TrainingResult.from_json(Path(asked.request.result).read_bytes()).seconds
    assert run.stderr == ""


def test_dagster_shows_it_on_the_candidate(built):
    asked, run = built
    manifest, report = left_by(asked.request, run)
    shown = headroom_metadata(ArtifactStore(asked.request.store), manifest)
    assert shown["next_gain"] == next_gain(report)
    assert "Without needed (1 column)" in shown["headroom"].value
    for picture in ("learning_curve", "source_losses"):
        assert "data:image/png;base64," in shown[picture].value
    before = manifest.model_copy(update={"files": {name: manifest.files[name] for name in REQUIRED}})
    assert headroom_metadata(ArtifactStore(asked.request.store), before) == {}


@pytest.mark.slow
def test_what_the_time_budget_ends_says_so_and_the_bundle_stands(tmp_path, environment):
    asked = planted(tmp_path, time_budget="PT0.05S")
    report = left_by(asked.request, run_job(asked.request, environment))[1]
    assert report.curve and report.sources and report.noise
    assert {point.absent for point in report.curve.points} == {LATE}
    assert {source.absent for source in report.sources.sources} == {LATE}
    assert report.noise.absent == LATE
    assert next_gain(report) == "Where the next gain is, nothing here tells."


def test_a_network_on_the_cpu_is_examined_at_its_own_epoch(tmp_path):
    search = {"hidden": "8", "epochs": 2, "batch_size": 256, "dropout": 0.0, "learning_rate": 0.01}
    asked = planted(tmp_path, family={"family": "mlp", "search": search}, rows=[0.3, 0.6])
    report = examined(Asked(asked.request, asked.data, asked.best.model_copy(update={"steps": 1})))
    assert report.curve and report.curve.doubled
    assert report.noise and not report.noise.absent
    again = examined(Asked(asked.request, asked.data, asked.best.model_copy(update={"steps": 1})))
    assert untimed(again.model_dump(mode="json")) == untimed(report.model_dump(mode="json"))
    longer = examined(Asked(asked.request, asked.data, asked.best.model_copy(update={"steps": 2})))
    assert longer.curve != report.curve


def test_what_would_be_whole_trainings_again_is_not_available(tmp_path):
    asked = planted(tmp_path)
    network = asked.best.model_copy(update={"family": "mlp"})
    compute = asked.spec.compute.model_copy(update={"gpus_per_trial": 1})
    on_gpus = asked.request.model_copy(update={"spec": asked.spec.model_copy(update={"compute": compute})})
    assert "GPUs" in hindrance(on_gpus, asked.data, network)
    assert hindrance(on_gpus, asked.data, asked.best) == ""

    def never(jobs: Any) -> Any:
        raise AssertionError("nothing is fitted")

    report = examine(on_gpus, asked.data, network, never)
    assert report.curve and report.sources and report.noise
    assert (
        report.curve.absent == report.sources.absent == report.noise.absent == hindrance(on_gpus, asked.data, network)
    )


def test_a_fit_that_fails_is_said_where_its_number_would_stand(tmp_path):
    matrix = numbers(600, 2, 1)
    asked = asked_of(tmp_path, table(matrix, coin(sigmoid(matrix[:, 0]), 3)), family=FAMILY)
    broken = asked.best.model_copy(update={"parameters": {"C": -1.0}})
    report = examined(Asked(asked.request, asked.data, broken))
    assert report.curve and all(p.absent.startswith("InvalidParameterError") for p in report.curve.points)
    assert report.curve.doubled is None and "InvalidParameterError" in report.curve.absent
    assert report.noise and report.noise.absent.startswith("InvalidParameterError")


def test_rows_that_stream_are_not_read_again_and_again(tmp_path):
    asked = planted(tmp_path)
    stream = SimpleNamespace(rows=10**9)
    report = examine(asked.request, replace(asked.data, stream=stream), asked.best, one_by_one(asked))
    assert report.rows == 10**9
    assert report.curve and report.curve.absent.startswith("The train rows stream from their file")


@pytest.mark.parametrize(("left", "seconds"), [(None, 300.0), (7200.0, 300.0), (60.0, 30.0)])
def test_half_of_what_the_lease_has_left_is_kept_for_the_bundle(tmp_path, monkeypatch, left, seconds):
    asked, given = planted(tmp_path), []

    def fit_all(request: Any, best: Any, jobs: Any, limit: float) -> Any:
        given.append(limit)
        return one_by_one(asked)(jobs)

    monkeypatch.setattr("dagster_project.training.headroom.examine.fit_beside", fit_all)
    ends = None if left is None else time.time() + left
    examine_beside(asked.request.model_copy(update={"ends": ends}), asked.data, asked.best)
    assert given == [pytest.approx(seconds, abs=1.0)]
