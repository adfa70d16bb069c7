"""Numbers and several classes are watched as two classes are, as far as they can be."""

from pathlib import Path

import pytest

from dagster_project.domain.verdict import Outcome
from dagster_project.monitoring import drift_threshold
from dagster_project.monitoring.drift import look
from dagster_project.monitoring.explanation import explain
from dagster_project.monitoring.performance import measure
from dagster_project.monitoring.reconcile import reconcile
from dagster_project.monitoring.review import ask
from tests.ci.workbench import COARSE_SQL, GOOD, crowned
from tests.monitoring.deployed import Truth, at, play, said, watching
from tests.monitoring.logged import log, tell
from tests.monitoring.reviewed import row_id
from tests.trees import edited

NUMBERS = edited(
    GOOD.replace("roc_auc", "rmse"),
    ("task: binary\ntarget: late", "task: regression\ntarget: delay"),
    ("logistic_regression\n    search:\n      C: {log_uniform: [0.01, 10.0]}", "ridge"),
    ("minimum: 0.6", "maximum: 20"),
)
CLASSES = edited(GOOD.replace("roc_auc", "accuracy"), ("task: binary\ntarget: late", "task: multiclass\ntarget: grade"))
GRADES = edited(
    COARSE_SQL,
    ("'good' AS grade", "CASE WHEN delay > 20 THEN 'bad' WHEN delay > 10 THEN 'fair' ELSE 'good' END AS grade"),
)


def grade(delay: float) -> str:
    return "bad" if delay > 20 else "fair" if delay > 10 else "good"


def as_number(delay: float) -> float:
    return delay


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_threshold, "DRAWS", 60)


@pytest.mark.parametrize(
    ("spec", "sql", "metric", "truth"),
    [(NUMBERS, COARSE_SQL, "rmse", as_number), (CLASSES, GRADES, "accuracy", grade)],
    ids=["numbers", "classes"],
)
def test_every_part_of_a_week(tmp_path: Path, spec: str, sql: str, metric: str, truth: Truth) -> None:
    repo = crowned(tmp_path, spec, sql)
    window = {"window": "P7D", "minimum_rows": 100}
    here = watching(repo, performance=window, drift=window, explanations={"window": "P7D", "rows": 60})
    play(here, range(7), truth=truth, miles=(7, 36))
    assert reconcile(here, at(9)).joined == 700
    measured = measure(here, at(9))
    assert measured.newest and measured.newest.metrics[0].metric == metric
    value = measured.newest.metrics[0].value
    assert value is not None and (5 < value < 8 if metric == "rmse" else 0.5 < value < 0.9)
    assert measured.newest.metrics[0].estimate is None, "of two classes alone"
    moved = look(here, at(9))
    assert {column.name for column in moved.drifted} >= {"miles", "(label)"}
    assert "(prediction)" in {column.name for column in moved.columns}
    explained = explain(here, at(9))
    assert explained.columns[0].name in ("miles", "seats") and len(explained.errors) == 5
    assert explained.findings()[0].outcome in (Outcome.PASSED, Outcome.WARNED)
    assert ask(here, at(6)).measure == (None if metric == "rmse" else "margin")


def test_a_former_champion_of_other_classes_is_not_measured_with_these(tmp_path: Path) -> None:
    here = watching(crowned(tmp_path, CLASSES, GRADES), performance={"window": "P7D", "minimum_rows": 100})
    play(here, range(7), truth=grade)
    answer = {
        "at": at(1), "time": at(1), "model": here.spec.name, "onnx": "sha256:former", "place": "live", "server": "s",
        "label": "good", "inputs": None, "seconds": 0.1, "value": None, "probabilities": [0.9, 0.1], "dropped": None,
        "day": at(1).date(),
    }  # fmt: skip
    log(here, *({**answer, "row_id": row_id(50_000 + number), "id": f"q{number}"} for number in range(200)))
    tell(here, *(said(here, 50_000 + number, "good", at(2)) for number in range(200)))
    reconcile(here, at(9))
    former = next(each for each in measure(here, at(9)).windows if each.onnx == "sha256:former")
    assert former.labelled == 200 and former.metrics == ()
