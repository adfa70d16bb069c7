"""Import directions, held in a fresh process: what a layer must not import is not loaded by importing it."""

import subprocess
import sys

import pytest

HEAVY = {"dagster", "ray", "pandas", "polars", "torch", "sklearn", "deepchecks", "duckdb", "deltalake", "onnxruntime"}


def loaded_by(*modules: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after importing ``modules``."""
    code = f"import sys, {', '.join(modules)}; print(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    "modules",
    [
        ("dagster_project.domain.loading", "dagster_project.domain.planning", "dagster_project.domain.decide"),
        ("dagster_project.storage.bundles", "dagster_project.storage.ledger"),
        ("ci.main", "ci.commands.check", "ci.commands.plan", "ci.commands.report"),
    ],
)
def test_the_core_imports_nothing_heavy(modules: tuple[str, ...]) -> None:
    assert not loaded_by(*modules) & HEAVY


def test_serving_can_answer_without_the_pipeline() -> None:
    """Whatever answers requests stands on inference alone: no deepchecks (AGPL), torch, scikit-learn or polars."""
    loaded = loaded_by("dagster_project.inference.predictor", "dagster_project.inference.inspection")
    assert not loaded & (HEAVY - {"onnxruntime"})
    server = loaded_by("dagster_project.serving.server", "dagster_project.serving.__main__", "uvicorn", "onnxruntime")
    assert not server & (HEAVY - {"onnxruntime"} | {"onnx", "pyarrow", "matplotlib"})


def test_training_and_judging_load_their_libraries_when_they_run() -> None:
    assert not loaded_by("dagster_project.training.job", "ci.judging.model", "dagster_project.data.datasets") & HEAVY


def test_import_directions() -> None:
    """The contracts of pyproject.toml, as ``make check`` holds them."""
    answer = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout[-3000:]
