"""The suites on a model's answers: every check ends as a finding, and none passes by not running."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from dagster_project.domain.contract import Condition, DataContract, LogicalType
from dagster_project.domain.errors import UserFileError
from dagster_project.domain.gates import DeepchecksGate
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.quality.answers import Predictions
from dagster_project.quality.catalogue import SUITES
from dagster_project.quality.suites import ModelRows, QualityReport, run_model_suite

from .conftest import FEATURES

Build = Callable[..., DataContract]


def judge(contract: DataContract, rows: ModelRows, gate: DeepchecksGate | None = None, **more: Any) -> QualityReport:
    return run_model_suite(contract, FEATURES, "label", "binary", rows, gate=gate, **more)


def only(suite: str, *allow: str) -> DeepchecksGate:
    return DeepchecksGate.model_validate({"kind": "deepchecks", "suites": (suite,), "allow": allow})


def named(report: QualityReport, name: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.name == name]


def test_every_check_of_every_suite_is_a_finding(contract: Build, model_rows: ModelRows) -> None:
    report = judge(contract(), model_rows)
    assert {finding.name for finding in report.findings} == {name for names in SUITES.values() for name in names}
    assert [f.summary for f in report.findings if f.outcome == Outcome.BROKEN] == []
    assert {f.name for f in report.findings if f.outcome == Outcome.NOT_APPLICABLE} == {
        "RegressionErrorDistribution",
        "BoostingOverfit",
    }
    (left_out,) = named(report, "BoostingOverfit")
    assert "trained object" in left_out.summary
    assert {finding.rows for finding in named(report, "RocReport")} == {"train", "validation"}


def test_html_is_whole_and_needs_nothing_from_outside(contract: Build, model_rows: ModelRows) -> None:
    report = judge(contract(), model_rows, displays="all")
    assert set(report.html) == set(SUITES)
    for suite, page in report.html.items():
        assert all(name in page for name in SUITES[suite])
        assert "<script src" not in page and "<link" not in page and "<iframe" not in page
        assert page.count("<section>") == page.count("</section>") > 0
    assert "Plotly.newPlot" in report.html["model_evaluation"]


def test_without_displays_the_page_is_small(contract: Build, model_rows: ModelRows) -> None:
    report = judge(contract(), model_rows, only("data_integrity"), displays="none")
    assert list(report.html) == ["data_integrity"] and len(report.html["data_integrity"]) < 20_000


def test_a_model_that_raises_is_broken_not_passed(contract: Build, model_rows: ModelRows) -> None:
    def predict(_: Any) -> None:
        raise RuntimeError("no such input")

    report = judge(contract(), replace(model_rows, predict=predict), only("model_evaluation"))
    clocks = named(report, "ModelInferenceTime")
    assert [finding.outcome for finding in clocks] == [Outcome.BROKEN, Outcome.BROKEN]
    assert "no such input" in clocks[0].summary
    assert {f.outcome for f in named(report, "RocReport")} <= {Outcome.PASSED, Outcome.FAILED}


def test_classifier_without_scores_is_broken(contract: Build, model_rows: ModelRows) -> None:
    train, validation = (
        Predictions(given.labels) for given in (model_rows.train_predictions, model_rows.validation_predictions)
    )
    rows = replace(model_rows, train_predictions=train, validation_predictions=validation)
    outcomes = {f.outcome for f in named(judge(contract(), rows, only("model_evaluation")), "RocReport")}
    assert outcomes == {Outcome.BROKEN}


def test_declared_condition_fails_and_allowed_check_warns(contract: Build, model_rows: ModelRows) -> None:
    strict = Condition(
        suite="model_evaluation", check="RocReport", condition="auc_greater_than", parameters={"min_auc": 0.9999}
    )
    failing = named(judge(contract(strict), model_rows, only("model_evaluation")), "RocReport")
    allowed = named(judge(contract(strict), model_rows, only("model_evaluation", "RocReport")), "RocReport")
    assert [finding.outcome for finding in failing] == [Outcome.FAILED, Outcome.FAILED]
    assert [finding.outcome for finding in allowed] == [Outcome.WARNED, Outcome.WARNED]
    assert "0.9999" in (failing[0].bound or "") or "1" in (failing[0].bound or "")


@pytest.mark.parametrize(
    ("check", "condition", "said"),
    [
        ("NoSuchCheck", None, "NoSuchCheck"),
        ("Dataset", None, "Dataset"),
        ("BoostingOverfit", "x", ""),
        ("FeatureDrift", "no_such", "drift_score_less_than"),
    ],
)
def test_what_the_library_does_not_have_is_the_users_error(
    contract: Build, model_rows: ModelRows, check: str, condition: str | None, said: str
) -> None:
    suite = "model_evaluation" if check == "BoostingOverfit" else "train_test_validation"
    wrong = Condition.model_validate({"suite": suite, "check": check, "condition": condition})
    with pytest.raises(UserFileError) as raised:
        judge(contract(wrong), model_rows, only(suite))
    (problem,) = raised.value.problems
    assert problem.file == "data_contracts/things.yaml" and said in problem.message


def test_one_process_and_two_find_the_same(contract: Build, model_rows: ModelRows) -> None:
    gate = only("train_test_validation")
    one, two = (judge(contract(), model_rows, gate, processes=number) for number in (1, 2))
    said = [[(f.name, f.outcome, f.summary) for f in report.findings] for report in (one, two)]
    assert said[0] == said[1]


def test_regression(contract: Build, parts: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    train, validation = (
        part.with_columns(label=3 * pl.col("speed") + pl.col("weight") / 50 + pl.col("size").fill_null(0.0))
        for part in parts
    )
    answers = [Predictions(3 * p["speed"].to_numpy() + p["weight"].to_numpy() / 50) for p in (train, validation)]
    rows = ModelRows(train, validation, answers[0], answers[1], dict.fromkeys(FEATURES, 0.2), len)
    report = run_model_suite(contract(label=LogicalType.NUMBER), FEATURES, "label", "regression", rows)
    assert [f.summary for f in report.findings if f.outcome == Outcome.BROKEN] == []
    skipped = {f.name for f in report.findings if f.outcome == Outcome.NOT_APPLICABLE}
    assert skipped == {
        "RocReport",
        "ConfusionMatrixReport",
        "CalibrationScore",
        "ConflictingLabels",
        "NewLabelTrainTest",
        "BoostingOverfit",
    }


def test_multiclass_with_text_labels_in_any_order(contract: Build, parts: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    classes = ("low", "middle", "high")

    def labelled(part: pl.DataFrame) -> tuple[pl.DataFrame, Predictions]:
        bins = np.digitize(part["speed"].to_numpy(), [-0.5, 0.5])
        scores = np.full((len(part), 3), 0.1)
        scores[np.arange(len(part)), bins] = 0.8
        names = np.asarray(classes, dtype=object)[bins]
        return part.with_columns(label=pl.Series(names, dtype=pl.String)), Predictions(names, scores, classes)

    (train, given), (validation, also) = map(labelled, parts)
    rows = ModelRows(train, validation, given, also, dict.fromkeys(FEATURES, 0.2), len)
    report = run_model_suite(
        contract(label=LogicalType.STRING), FEATURES, "label", "multiclass", rows, gate=only("model_evaluation")
    )
    assert [f.summary for f in report.findings if f.outcome == Outcome.BROKEN] == []
    assert {f.outcome for f in named(report, "RocReport")} == {Outcome.PASSED}
