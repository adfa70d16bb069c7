"""The ingestion as ``acts ingest`` and as a Dagster asset."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.domain.workspace import Workspace
from dagster_project.factories.assembly import definitions_for
from dagster_project.factories.instance import open_instance
from dagster_project.factories.prediction_log import KEY, prediction_log_asset
from dagster_project.factories.values import documents_of
from dagster_project.monitoring.log_table import answers
from dagster_project.serving.prediction_log import PredictionLog
from tests.pipeline.small import environment
from tests.serving.log_rows import answer, segments
from tests.trees import repository

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A repository whose server answered five rows and dropped two."""
    (tmp_path / "repo" / "models").mkdir(parents=True)
    workspace = Workspace(repo=tmp_path / "repo")
    log = PredictionLog(workspace.serving_log, "s", 60.0, most_rows=5)
    log.append(answer(1, rows=5))
    log.append(answer(2, rows=2))
    log.close()
    return workspace


def run(workspace: Workspace, *options: str) -> "subprocess.CompletedProcess[str]":
    """``acts ingest``."""
    command = [sys.executable, "-m", "ci.main", "ingest", "--repo", str(workspace.repo), *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment(workspace.repo), capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_acts_ingest_says_what_came_in_and_tells_dagster(workspace: Workspace) -> None:
    done = run(workspace)
    assert done.returncode == 0, done.stderr
    assert "5 rows from 1 segment, the oldest" in done.stdout and "2 rows answered and dropped" in done.stdout
    assert answers(workspace.warehouse).collect().height == 5 and segments(workspace.serving_log) == []
    again = run(workspace, "--json")
    assert (again.returncode, json.loads(again.stdout)["rows"]) == (0, 0), again.stderr
    with open_instance(workspace) as instance:
        event = instance.get_latest_materialization_event(KEY)
    assert event is not None and event.asset_materialization is not None
    assert event.asset_materialization.metadata["rows"].value == 5


@pytest.mark.slow
def test_a_folder_that_is_none_is_the_machinerys_to_mend(workspace: Workspace) -> None:
    (path,) = segments(workspace.serving_log)
    path.unlink()
    path.mkdir()
    done = run(workspace)
    assert done.returncode == 3 and "can't be read" in done.stderr and "Traceback" not in done.stderr


def test_the_asset_says_rows_segments_dropped_and_lag(workspace: Workspace, tmp_path: Path) -> None:
    asset = prediction_log_asset(tuple(repository().specs.values()), workspace)
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        result = dg.materialize([asset], instance=instance)
    (event,) = result.asset_materializations_for_node("prediction_log")
    shown = {name: value.value for name, value in event.metadata.items()}
    assert (shown["rows"], shown["segments"], shown["dropped"], shown["broken"]) == (5, 1, 2, 0)
    assert shown["lag_seconds"] > 0 and shown["dagster/uri"] == f"{workspace.warehouse}/prediction_log"


def test_a_schedule_takes_rows_in_once_it_is_turned_on(tmp_path: Path) -> None:
    definitions = definitions_for(repository(), Workspace(repo=tmp_path), documents_of(Workspace(repo=tmp_path)))
    schedule = definitions.resolve_schedule_def("prediction_log_ingested")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED and schedule.cron_schedule == "* * * * *"
    assert definitions.resolve_asset_graph().get(KEY).parent_keys == {dg.AssetKey(["tardy", "deployment"])}
