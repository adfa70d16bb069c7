"""Spec, floor and lock are read strictly; every problem has its file, line and a way out."""

import json
from pathlib import Path

import pytest

from dagster_project.domain.errors import UserFileError
from dagster_project.domain.gates import Floor
from dagster_project.domain.loading import load_repository
from dagster_project.domain.repository import FolderTree
from dagster_project.domain.spec import ModelSpec
from dagster_project.domain.specs import load_floor, load_lock, load_spec
from tests.trees import FILES, FLOOR, SPEC, SPEC_FILE, TRIPS, edited, problems, repository, tree

WRONG = [
    ("unknown key", ("trials: 6", "trails: 6\n  trials: 6"), "trails: 6", "Did you mean trials?"),
    ("unknown key of a gate", ("minimum: 0.6", "minimun: 0.6\n    minimum: 0.6"), "minimun", "Did you mean minimum?"),
    ("unknown key of a split", ("  gap: P1D", "  gapp: P1D"), "gapp", "Did you mean gap?"),
    ("missing key", ("  metric: roc_auc\n  trials", "  trials"), "search:", "this key is missing"),
    ("number as text", ("trials: 6", 'trials: "6"'), "trials:", "Write a whole number here."),
    ("number for a duration", ("gap: P1D", "gap: 30"), "gap: 30", "Write a duration such as P30D"),
    ("a share above a half", ("validation: P30D", "validation: 0.7"), "validation: 0.7", "less than 0.5"),
    ("negative duration", ("gap: P1D", "gap: -P1D"), "gap: -P1D", "greater than or equal to"),
    ("unknown kind of gate", ("kind: slices", "kind: slice"), "kind: slice", "Did you mean slices?"),
    ("unknown task", ("task: binary", "task: binery"), "task: binery", "Did you mean binary?"),
    ("unknown scheduler", ("seed: 7", "scheduler: ashaa"), "scheduler: ashaa", "Did you mean asha?"),
    ("unknown kind of split", ("by: time", "by: times"), "by: times", "Did you mean time?"),
    ("text for a list", ("owners: [rides-team]", "owners: rides-team"), "owners:", "Write a list here."),
    ("no trial", ("trials: 6", "trials: 0"), "trials: 0", "greater than or equal to 1"),
    ("a folder of another name", ("name: tardy", "name: tardie"), "name: tardie", "the folder is called tardy"),
    ("a name with a slash", ("name: tardy", "name: ../tardy"), "name: ../tardy", "pattern"),
    ("another schema version", ("schema_version: 1", "schema_version: 2"), "schema_version: 2", "this should be 1"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "line", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_spec_is_refused_with_line_and_hint(edit: tuple[str, str], line: str, words: str) -> None:
    text = edited(SPEC, edit)
    found = problems(tree(spec=text))
    match = [p for p in found if words in f"{p.message} {p.hint}"]
    assert match, found
    assert match[0].file == SPEC_FILE
    assert match[0].line is not None
    assert line.split(":")[0] in text.splitlines()[match[0].line - 1]


def test_all_problems_of_all_files_come_at_once() -> None:
    spec = edited(SPEC, ("seed: 7", "sed: 7"), ("metric: roc_auc\n  trials", "metric: rmse\n  trials"))
    floor = edited(FLOOR, ("maximum_mb: 100", "maximum_mb: -1"))
    trips = edited(TRIPS, ("version: 1.2.0", "version: banana"))
    files = {p.file for p in problems(tree(spec=spec, floor=floor, trips=trips))}
    assert files == {SPEC_FILE, "models/floor.yaml", "data_contracts/trips.yaml"}
    words = " ".join(str(p) for p in problems(tree(spec=spec, floor=floor, trips=trips)))
    assert "unknown key" in words
    assert "rmse does not fit the task binary" in words  # the guard speaks in spite of the unknown key


def test_nobody_is_blamed_for_a_contract_that_could_not_be_read() -> None:
    found = problems(tree(trips="apiVersion: ["))
    assert {p.file for p in found} == {"data_contracts/trips.yaml"}


def test_files_that_nothing_reads_are_named() -> None:
    files = dict(FILES) | {
        "models/tardy/specs.yml": "x: 1",
        "data_contracts/lonely.sql": "SELECT 1",
        "data_contracts/deep/inner.yaml": "x: 1",
        "models/ghost/champion.lock.yaml": "x: 1",
        "models/README.md": "free",
    }
    found = {p.file: f"{p.message} {p.hint}" for p in problems(files) if p.code == "layout"}
    assert found.keys() == files.keys() - FILES.keys() - {"models/README.md"}
    assert "Did you mean spec.yaml?" in found["models/tardy/specs.yml"]
    assert "no spec beside this lock" in found["models/ghost/champion.lock.yaml"]


def test_the_repositorys_own_declarations_are_right() -> None:
    root = Path(__file__).resolve().parents[2]
    found = load_repository(FolderTree(root))
    assert {"late_arrival", "arrival_delay"} <= found.specs.keys()
    assert set(found.floor.tasks) == {"binary", "multiclass", "regression"}


def test_a_spec_survives_json() -> None:
    spec = load_spec(SPEC, SPEC_FILE)
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_the_json_schema_refuses_what_the_reader_refuses() -> None:
    import jsonschema
    import yaml

    schema = ModelSpec.model_json_schema()
    jsonschema.validate(yaml.safe_load(SPEC), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(edited(SPEC, ("seed: 7", "sed: 7"))), schema)
    assert json.dumps(Floor.model_json_schema())


def test_floor_and_lock_are_strict_too() -> None:
    assert load_floor(FLOOR, "models/floor.yaml").tasks.keys() == {"binary"}
    with pytest.raises(UserFileError, match=r"floor.yaml:6: tasks.binery: .* Did you mean binary"):
        load_floor(edited(FLOOR, ("binary:", "binery:")), "models/floor.yaml")
    with pytest.raises(UserFileError, match="this key is missing"):
        load_lock("schema_version: 1\nmodel: tardy\n", "models/tardy/champion.lock.yaml")


def test_the_small_repository_loads() -> None:
    found = repository()
    assert list(found.contracts) == ["rides", "trips"]
    assert found.models_of("rides") == ("tardy",)
