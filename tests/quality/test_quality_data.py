"""The suites on two versions of a dataset: what the change does to the rows."""

from collections.abc import Callable

import polars as pl

from dagster_project.domain.contract import Condition, DataContract
from dagster_project.domain.verdict import Finding, Outcome
from dagster_project.quality.page import tame
from dagster_project.quality.suites import QualityReport, run_data_suites

from .conftest import things

Build = Callable[..., DataContract]


def named(report: QualityReport, name: str) -> Finding:
    (finding,) = [finding for finding in report.findings if finding.name == name]
    return finding


def test_an_unchanged_dataset_passes(contract: Build) -> None:
    frame = things(300, 3)
    report = run_data_suites(contract(), frame, frame)
    assert {f.outcome for f in report.findings if f.suite == "train_test_validation"} == {
        Outcome.PASSED,
        Outcome.NOT_APPLICABLE,
    }
    assert named(report, "TrainTestSamplesMix").summary.endswith("share rows by design")
    assert [f.summary for f in report.findings if f.outcome == Outcome.BROKEN] == []


def test_without_a_base_there_is_only_integrity(contract: Build) -> None:
    report = run_data_suites(contract(), things(300, 3).lazy())
    assert {finding.suite for finding in report.findings} == {"data_integrity"}
    assert {finding.rows for finding in report.findings} == {"dataset"}


def test_new_and_removed_categories_and_columns_are_seen(contract: Build) -> None:
    base = things(300, 3)
    head = base.with_columns(colour=pl.col("colour").replace("red", "violet")).drop("weight")
    report = run_data_suites(contract(), head, base)
    assert named(report, "NewCategoryTrainTest").outcome == Outcome.WARNED
    assert named(report, "RemovedCategories").outcome == Outcome.WARNED
    columns = named(report, "ColumnsCompared")
    assert columns.outcome == Outcome.WARNED and columns.details["only in base"] == ["weight"]


def test_what_the_contract_declares_fails_and_the_rest_warns(contract: Build) -> None:
    drift = Condition(
        suite="train_test_validation",
        check="FeatureDrift",
        condition="drift_score_less_than",
        parameters={"max_allowed_numeric_score": 0.3},
        arguments={"columns": ["speed"]},
    )
    base = things(300, 3)
    head = base.with_columns(speed=pl.col("speed") + 3.0, label=pl.lit(True))
    report = run_data_suites(contract(drift), head, base)
    assert named(report, "FeatureDrift").outcome == Outcome.FAILED
    assert named(report, "LabelDrift").outcome == Outcome.WARNED


def test_another_check_of_the_library_may_be_declared(contract: Build) -> None:
    nulls = Condition(
        suite="data_integrity",
        check="PercentOfNulls",
        condition="percent_of_nulls_not_greater_than",
        parameters={"threshold": 0.01},
        severity="warning",
    )
    finding = named(run_data_suites(contract(nulls), things(300, 3)), "PercentOfNulls")
    assert finding.outcome == Outcome.WARNED and "size" in finding.summary


def test_a_dataset_without_label_id_and_time(contract: Build) -> None:
    whole = contract()
    plain = whole.model_copy(update={"columns": tuple(c for c in whole.columns if c.role is None)})
    frame = things(300, 3)
    report = run_data_suites(plain, frame, frame)
    assert [f.summary for f in report.findings if f.outcome == Outcome.BROKEN] == []
    assert named(report, "LabelDrift").summary == "the contract names no label"


def test_values_of_the_rows_are_never_markup(contract: Build) -> None:
    """A hostile value reaches tables, figures and sentences; the page must show it as text."""
    hostile = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    base = things(300, 3)
    head = base.with_columns(colour=pl.col("colour").replace("red", hostile))
    report = run_data_suites(contract(), head, base, displays="all")
    assert "alert(1)" in "".join(report.html.values())
    for page in report.html.values():
        assert "<img src=x" not in page and "<script>alert" not in page


def test_tame_keeps_emphasis_and_nothing_that_acts() -> None:
    assert tame('<b class="x">a</b><br/> 3 < 4') == "<b>a</b><br> 3 &lt; 4"
    assert tame('<a href="javascript:x">y</a>') == "<a>y</a>"
    assert "<script" not in tame("<script>1</script>") and "<img" not in tame("<b><img src=x onerror=y></b>")
