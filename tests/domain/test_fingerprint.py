"""Fingerprints move with what a build runs, and with nothing else."""

from pathlib import Path

import pytest

from dagster_project.domain.fingerprint import build_key, code_digest, environment_digest, installed_source
from dagster_project.domain.specs import load_spec
from tests.trees import SPEC, SPEC_FILE, edited

FAMILIES = ("logistic_regression", "random_forest")


def touched(*paths: str) -> str:
    """The code digest if a line were added to the files."""

    def source(path: str) -> bytes | None:
        data = installed_source(path)
        return data if data is None or path not in paths else data + b"\n# touched\n"

    digest = code_digest(FAMILIES, source)
    assert not paths or all(installed_source(path) is not None for path in paths)
    return digest


@pytest.mark.parametrize(
    "path",
    [
        "dagster_project/training/job.py",
        "dagster_project/training/search.py",
        "dagster_project/training/export.py",
        "dagster_project/training/preparation.py",
        "dagster_project/training/families/__init__.py",
        "dagster_project/training/families/random_forest.py",
        "dagster_project/data/splits.py",
    ],
)
def test_what_a_build_runs_moves_it(path: str) -> None:
    assert touched(path) != touched()


@pytest.mark.parametrize(
    "path",
    [
        "dagster_project/training/families/mlp.py",
        "dagster_project/training/families/ridge.py",
        "dagster_project/domain/gates.py",
        "dagster_project/domain/decide.py",
        "dagster_project/evaluation/comparison.py",
        "dagster_project/quality/suites.py",
        "dagster_project/factories/models.py",
        "ci/report/markdown.py",
    ],
)
def test_gates_reports_and_other_families_leave_it(path: str) -> None:
    assert touched(path) == touched()


def test_the_families_are_part_of_it_and_their_order_is_not() -> None:
    assert code_digest(("ridge",)) != code_digest(("elastic_net",))
    assert code_digest(FAMILIES) == code_digest(FAMILIES[::-1])


def test_the_environment_is_the_constraints_without_their_comments(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("one", "commented", "other")}
    files["one"].write_text("b==2\na==1\n")
    files["commented"].write_text("# why\na==1  # held back\nb==2\n")
    files["other"].write_text("a==1\nb==3\n")
    digests = {name: environment_digest(path) for name, path in files.items()}
    assert digests["one"] == digests["commented"] != digests["other"]
    installed = environment_digest(tmp_path / "missing")
    assert installed == environment_digest(tmp_path / "missing too") != digests["one"]


def test_a_build_key_moves_with_training_and_not_with_gates_or_wording() -> None:
    def key(*edits: tuple[str, str], snapshot: str = "s", code: str = "c", environment: str = "e") -> str:
        return build_key(load_spec(edited(SPEC, *edits), SPEC_FILE), snapshot, code, environment)

    same = key()
    assert key(("minimum: 0.6", "minimum: 0.7")) == same
    assert key(("Will the ride be late?", "Late?"), ("rides-team", "others")) == same
    assert key(("size: P31D", "size: P31D\n    judgements: 9")) == same
    different = [key(("seed: 7", "seed: 8")), key(snapshot="t"), key(code="d"), key(environment="f")]
    assert len({same, *different}) == 5
