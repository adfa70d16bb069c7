"""Verdicts and locks, told to Dagster as asset events."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.__main__ import main
from dagster_project.domain.lock import ChampionLock, LockedMetric
from dagster_project.domain.promotion import lock_text
from dagster_project.domain.verdict import Finding, Measurement, Outcome, Subject, Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.instance import open_instance
from dagster_project.factories.record import lock_event, report_events, verdict_events

EVALUATION = dg.AssetKey(["tardy", "evaluation"])
DIGEST = "sha256:" + "1" * 64


def verdict_of(outcome: Any, kind: Any = "model", name: str = "tardy") -> Verdict:
    found = Finding(
        name="roc_auc",
        source="gate",
        outcome=Outcome.FAILED if outcome == "failed" else Outcome.PASSED,
        summary="a | b",
    )
    return Verdict(
        subject=Subject(kind=kind, name=name),
        outcome=outcome,
        promotable=outcome == "passed",
        reasons=() if outcome == "passed" else ("roc_auc is too low",),
        findings=(found,),
        measurements=(Measurement(metric="roc_auc", rows="validation", value=0.71, low=0.7, high=0.72),),
        challenger=DIGEST,
    )


LOCK = ChampionLock(
    model="tardy", onnx=DIGEST, bundle=DIGEST, snapshot=DIGEST, spec=DIGEST, code=DIGEST, environment=DIGEST,
    build_key=DIGEST, commit=None, family="ridge", parameters={"alpha": 1.0},
    metrics={"roc_auc": LockedMetric(value=0.71, low=0.7, high=0.72)}, verdict=DIGEST, replaces=None,
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(repo=tmp_path)


def last_check(instance: dg.DagsterInstance, key: dg.AssetKey) -> Any:
    check = dg.AssetCheckKey(key, "verdict")
    records = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    return records[0].event.dagster_event.asset_check_evaluation_data if records else None


def test_a_verdict_is_the_evaluation_and_its_check(workspace: Workspace, tmp_path: Path) -> None:
    with open_instance(workspace) as instance:
        report_events(instance, verdict_events(verdict_of("passed"), tmp_path / "report.html"))
        event = instance.get_latest_materialization_event(EVALUATION)
        assert event is not None and event.asset_materialization is not None
        metadata = event.asset_materialization.metadata
        assert metadata["outcome"].value == "passed"
        assert "a \\| b" in str(metadata["table"].value)
        assert "0.71" in str(metadata["measurements"].value)
        assert metadata["report"].value == str(tmp_path / "report.html")
        assert last_check(instance, EVALUATION).passed
        report_events(instance, verdict_events(verdict_of("failed"), None))
        failed = last_check(instance, EVALUATION)
        assert not failed.passed and failed.severity is dg.AssetCheckSeverity.ERROR
        assert failed.description == "roc_auc is too low"


def test_a_broken_verdict_has_neither_passed_nor_failed(workspace: Workspace) -> None:
    with open_instance(workspace) as instance:
        report_events(instance, verdict_events(verdict_of("broken"), None))
        assert instance.get_latest_materialization_event(EVALUATION) is not None
        assert last_check(instance, EVALUATION) is None


def test_a_dataset_is_observed_not_made_by_its_verdict(workspace: Workspace) -> None:
    with open_instance(workspace) as instance:
        report_events(instance, verdict_events(verdict_of("passed", "dataset", "trips"), None))
        assert instance.get_latest_materialization_event(dg.AssetKey("trips")) is None
        assert last_check(instance, dg.AssetKey("trips")).passed


def test_a_lock_is_champion_or_deployment(workspace: Workspace) -> None:
    with open_instance(workspace) as instance:
        report_events(instance, [lock_event(LOCK, "champion"), lock_event(LOCK, "deployment")])
        for stage in ("champion", "deployment"):
            event = instance.get_latest_materialization_event(dg.AssetKey(["tardy", stage]))
            assert event is not None and event.asset_materialization is not None
            assert event.asset_materialization.metadata["onnx"].value == DIGEST


def test_the_program_reads_files(workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdict, lock = tmp_path / "verdict.json", tmp_path / "champion.lock.yaml"
    verdict.write_text(verdict_of("passed").to_json())
    lock.write_text(lock_text(LOCK))
    assert main(["record", "--repo", str(tmp_path), str(verdict), str(lock)]) == 0
    with open_instance(workspace) as instance:
        for stage in ("evaluation", "champion"):
            assert instance.get_latest_materialization_event(dg.AssetKey(["tardy", stage])) is not None
    verdict.write_text("{}")
    assert main(["record", "--repo", str(tmp_path), str(verdict)]) == 2
    assert "verdict.json" in capsys.readouterr().err
