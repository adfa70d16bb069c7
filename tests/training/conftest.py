"""Small real tables, and build requests over them."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dagster_project.domain.build import BuildRequest
from dagster_project.domain.families import families_for
from dagster_project.domain.snapshot import Snapshot, SplitResult, SplitRows
from dagster_project.domain.spec import ModelSpec

DIGEST = "sha256:" + "0" * 64
METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}
TEXT = ("kind", "flag")
OWN = "architecture"
"""The family whose code a test has to bring."""

Make = Callable[..., BuildRequest]


def table_of(task: str) -> pl.DataFrame:
    """Breast cancer, wine or diabetes, with missing numbers, text (some missing), a boolean and an empty column."""
    from sklearn import datasets

    load = {"binary": "load_breast_cancer", "multiclass": "load_wine", "regression": "load_diabetes"}[task]
    frame = getattr(datasets, load)(as_frame=True).frame.sample(frac=1, random_state=0)
    table = pl.from_dicts(json.loads(frame.to_json(orient="records")))
    first, second = table.columns[:2]
    high, higher = pl.col(first) > pl.mean(first), pl.col(second) > pl.mean(second)
    table = table.with_columns(
        kind=pl.when(high).then(pl.lit("größer")).when(higher).then(None).otherwise(pl.lit("b")),
        flag=higher,
        nothing=pl.lit(None, dtype=pl.Float64),
    )
    target = {
        "binary": pl.col("target") == 1,
        "multiclass": pl.col("target").cast(pl.Int64).replace_strict({0: "ä", 1: "b", 2: "c"}),
        "regression": pl.col("target").cast(pl.Float64),
    }[task]
    gaps = pl.when(pl.int_range(pl.len()) % 9 == 0).then(None).otherwise(pl.col(first)).alias(first)
    return table.with_columns(gaps, target=target)


@pytest.fixture(scope="session")
def tables() -> dict[str, pl.DataFrame]:
    """By task."""
    return {task: table_of(task) for task in METRICS}


def make_request(folder: Path, table: pl.DataFrame, task: str, **changes: Any) -> BuildRequest:
    """A request over the table: its first 70 % train. ``changes`` are families, search, features, compute, ..."""
    cut = int(len(table) * 0.7)
    parts = {
        "train": write_part(folder / "train.parquet", table[:cut]),
        "validation": write_part(folder / "validation.parquet", table[cut:]),
    }
    names = [name for name in table.columns if name != "target"]
    categorical, shapes = tuple(changes.get("categorical", TEXT)), changes.get("shapes", {})
    candidates = changes.get("candidates") or [quick(name) for name in changes["families"]]
    spec = ModelSpec.model_validate(
        {
            "schema_version": 1,
            "name": "model",
            "description": "a model",
            "owners": ["someone"],
            "contract": {"name": "table", "version": ">=1"},
            "task": task,
            "target": "target",
            "features": {"include": names, **changes.get("features", {})},
            "split": {"by": "stratified", "validation": 0.2, "holdout": {"size": 0.2}},
            "candidates": candidates,
            "search": {"metric": METRICS[task], "trials": len(candidates), **changes.get("search", {})},
            "compute": changes.get("compute", {}),
            "gates": [{"kind": "parity"}],
        }
    )
    return BuildRequest(
        spec=spec,
        snapshot=Snapshot(
            dataset="table",
            contract_version="1.0.0",
            contract_digest=DIGEST,
            uri=str(folder),
            version=0,
            digest=DIGEST,
            rows=len(table),
            created=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        split=SplitResult(snapshot=DIGEST, **parts),
        numeric=tuple(name for name in names if name not in categorical and name not in shapes),
        categorical=categorical,
        modalities=changes.get("modalities", {}),
        shapes=shapes,
        horizon=changes.get("horizon", 0),
        season=changes.get("season", 1),
        build_key=DIGEST,
        code_digest=DIGEST,
        environment_digest=DIGEST,
        store=str(folder / "store"),
        result=str(folder / "result.json"),
    )


QUICK = {
    "random_forest": {"n_estimators": 15, "min_samples_leaf": 5},
    "extra_trees": {"n_estimators": 15, "min_samples_leaf": 5},
    "hist_gradient_boosting": {"max_iter": 15, "min_samples_leaf": 10},
    "mlp": {"hidden": "16", "epochs": 4, "batch_size": 64},
    "cnn": {"filters": 8, "hidden": 32, "epochs": 5, "batch_size": 32, "learning_rate": 0.003},
    "resnet": {"filters": 8, "blocks": 1, "epochs": 5, "batch_size": 32, "learning_rate": 0.003},
    "tcn": {"filters": 8, "epochs": 2, "batch_size": 64, "learning_rate": 0.003},
}


def quick(family: str) -> dict[str, Any]:
    """The family as a candidate that trains fast."""
    return {"family": family, "search": QUICK.get(family, {})}


def write_part(path: Path, rows: pl.DataFrame) -> SplitRows:
    """Rows as a part of a split."""
    rows.write_parquet(path)
    return SplitRows(uri=str(path), digest=DIGEST, rows=len(rows), labelled=rows["target"].count())


@pytest.fixture
def request_for(tmp_path: Path, tables: dict[str, pl.DataFrame]) -> Make:
    """``request_for(task, families=[...], ...)``: a request over the task's table in a folder of its own."""

    def make(task: str, table: pl.DataFrame | None = None, **changes: Any) -> BuildRequest:
        changes.setdefault("families", [name for name in families_for(task) if name != OWN])  # type: ignore[arg-type]
        return make_request(tmp_path, tables[task] if table is None else table, task, **changes)

    return make


def command(request: BuildRequest) -> list[str]:
    """The training program's command line, its request written beside its result."""
    path = Path(request.result).with_name("request.json")
    path.write_text(request.to_json())
    return [sys.executable, "-m", "dagster_project.training.job", str(path)]


def run_job(
    request: BuildRequest, environment: dict[str, str], timeout: int = 240
) -> "subprocess.CompletedProcess[str]":
    """Run the training program to its end."""
    return run_program(command(request)[-1], environment, timeout)


def run_program(request: str, environment: dict[str, str], timeout: int = 240) -> "subprocess.CompletedProcess[str]":
    """Run the training program on a request at a path or URI."""
    words = [sys.executable, "-m", "dagster_project.training.job", request]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=timeout)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with a HOME of its own, as CI has it."""
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "TUNE_", "ACTS_"))}
    return {**kept, "HOME": str(tmp_path_factory.mktemp("home")), "CI": "true"}
