"""Rows that don't fit into memory: when they stream, what is refused, and what comes out of a build that streams."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dagster_project.domain.build import TrainingResult
from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.errors import RefusedError
from dagster_project.storage.bundles import fetch_bundle
from dagster_project.storage.store import ArtifactStore
from dagster_project.training.intake import load, prepared_bytes, surely_fits
from dagster_project.training.problem import pose

from .conftest import make_request, run_job

SMALL = 10_000  # bytes: less than the prepared train rows of every table here


def streamed(request_for, task: str, memory: int = SMALL, **changes):
    changes.setdefault("families", ["mlp"])
    return request_for(task, **changes).model_copy(update={"memory": memory})


def test_rows_that_fit_are_read_as_ever(request_for) -> None:
    request = request_for("binary", families=["mlp", "random_forest"])
    whole, roomy = load(request), load(request.model_copy(update={"memory": 10**8}))
    assert surely_fits(request, 10**8)
    assert whole.stream is None and roomy.stream is None
    assert whole.counts == roomy.counts == {"train": 398, "validation": 171}


def test_what_decides_is_the_size_of_the_prepared_rows(request_for) -> None:
    request = streamed(request_for, "binary")
    sample = load(request)
    width = pose(request.spec, sample).prepared["scaled"].validation.shape[1]
    size = prepared_bytes(request.spec, sample, 398)
    assert size == 398 * width * 4
    assert not surely_fits(request, size)
    assert load(request.model_copy(update={"memory": size})).stream is None
    assert load(request.model_copy(update={"memory": size - 1})).stream is not None


def test_families_that_need_all_rows_are_refused_with_those_that_stream(request_for) -> None:
    request = streamed(request_for, "binary", families=["mlp", "random_forest", "logistic_regression"])
    with pytest.raises(
        RefusedError, match=r"logistic_regression, random_forest can't learn.*Families that can: architecture, mlp"
    ):
        load(request)


def test_classes_are_those_of_all_rows_and_not_of_the_sample(request_for, tables) -> None:
    table = pl.concat([tables["multiclass"]] * 60).with_columns(
        target=pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("rare")).otherwise(pl.col("target"))
    )
    data = load(streamed(request_for, "multiclass", table=table))
    assert data.counts["sampled"] < data.counts["train"]
    assert "rare" in data.classes


def test_a_regression_is_standardised_by_all_rows(request_for, tables) -> None:
    table = pl.concat([tables["regression"]] * 10)
    data = load(streamed(request_for, "regression", table=table))
    target = table["target"][: int(len(table) * 0.7)]
    assert data.stream.shift == pytest.approx(target.mean(), rel=1e-12)
    assert data.stream.scale == pytest.approx(target.std(ddof=0), rel=1e-12)
    assert data.counts["sampled"] < data.counts["train"] == len(target)


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_part_without_labels_is_refused(request_for, tables, part: str) -> None:
    table, cut = tables["binary"], int(len(tables["binary"]) * 0.7)
    empty = pl.int_range(pl.len()) < cut if part == "train" else pl.int_range(pl.len()) >= cut
    request = streamed(request_for, "binary", table=table.with_columns(target=pl.when(~empty).then(pl.col("target"))))
    with pytest.raises(RefusedError, match=f"no {part} row has a label"):
        load(request)


@pytest.mark.slow
def test_a_stream_gives_every_row_once_an_epoch_in_an_order_of_its_own(tmp_path, environment) -> None:
    epochs = json.loads(child("epochs", tmp_path, environment))
    assert [sorted(epoch) for epoch in epochs.values()] == [[float(row) for row in range(1000, 4000)]] * 4
    assert epochs["0"] == epochs["0 again"]
    assert epochs["0"] != epochs["1"]
    assert epochs["0 of two"] == epochs["0"]
    ordered = sum(b > a for a, b in zip(epochs["0"], epochs["0"][1:], strict=False)) / 3000
    assert 0.3 < ordered < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_build_that_streams_leaves_a_bundle_and_says_what_it_used(request_for, environment, tmp_path, task) -> None:
    mlp = {"family": "mlp", "search": {"hidden": "16", "epochs": 6, "batch_size": 16, "learning_rate": 0.01}}
    request = streamed(request_for, task, candidates=[mlp], search={"trials": 2})
    run = run_job(request, environment)
    assert run.returncode == 0, run.stderr
    assert "train rows stream" in run.stdout
    result = TrainingResult.from_json(Path(request.result).read_bytes())
    fetch_bundle(ArtifactStore(request.store), result.bundle, tmp_path / "bundle")
    manifest = BundleManifest.from_json((tmp_path / "bundle" / "bundle.json").read_bytes())
    assert manifest.rows["train"] == manifest.rows["sampled"] == request.split.train.labelled
    assert manifest.streamed and (manifest.streamed.memory, manifest.streamed.cpus) == (request.memory, request.cpus)
    assert manifest.parity.rows > 0
    assert result.value > 0.97 if task == "binary" else result.value < 68


def child(what: str, folder: Path, environment: dict[str, str]) -> str:
    """Standard output of ``streaming_child.py``: Ray runs in a program of its own."""
    command = [sys.executable, "-m", "tests.training.streaming_child", what, str(folder)]
    here = {**environment, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(command, env=here, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_the_rows(tmp_path, environment) -> None:
    limit, seen = 50 * 10**6, []
    for rows in (100_000, 1_000_000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        mlp = {"family": "mlp", "search": {"hidden": "16", "epochs": 1, "batch_size": 1024}}
        request = make_request(folder, many(rows), "binary", candidates=[mlp], categorical=("kind",))
        request = request.model_copy(update={"memory": limit if rows == 1_000_000 else limit // 2})
        (folder / "request.json").write_text(request.to_json())
        seen.append(json.loads(child("memory", folder, environment)))
    small, large = seen
    assert large["prepared"] > 6 * limit
    assert large["peak"] - small["peak"] < 2 * limit  # allocators keep some of what they had
    assert large["values"][-1] > 0.75


@pytest.mark.slow
def test_many_trials_share_one_snapshot_in_the_object_store(tmp_path, environment) -> None:
    mlp = {"family": "mlp", "search": {"hidden": "16", "epochs": 1, "batch_size": 4096}}
    search = {"trials": 12, "scheduler": "none"}
    request = make_request(tmp_path, many(60_000), "binary", candidates=[mlp], search=search, categorical=("kind",))
    (tmp_path / "request.json").write_text(request.to_json())
    found = json.loads(child("snapshot", tmp_path, environment))
    assert found["trials"] == 12
    assert found["problem"] > 20 * 10**6
    assert found["problem"] < found["created"] < 1.5 * found["problem"]


def many(rows: int) -> pl.DataFrame:
    """Rows that make some hundred prepared columns: eight numbers and a text of a hundred values."""
    random = np.random.default_rng(rows)
    numbers = {f"x{place}": random.normal(size=rows) for place in range(8)}
    kinds = np.array([f"kind {number}" for number in range(100)])[random.integers(0, 100, rows)]
    noisy = numbers["x0"] + 0.5 * numbers["x1"] + random.normal(size=rows)
    return pl.DataFrame({**numbers, "kind": kinds, "target": noisy > 0})
