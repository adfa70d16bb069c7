"""Datasets as assets: what is built, what is refused, what is not done twice."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.__main__ import main
from dagster_project.domain.verdict import Outcome
from dagster_project.factories.instance import open_instance
from dagster_project.factories.launch import launch
from dagster_project.factories.unchanged import unchanged
from tests.pipeline.small import build, command, deliver, environment, opened, write_repository
from tests.trees import RIDES, TRIPS, edited


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return write_repository(tmp_path / "repo", days=10)


def test_a_dataset_with_everything_before_it(repo: Path) -> None:
    repository, workspace = opened(repo)
    result = launch(repository, workspace, "dataset", "trips")
    assert result.outcome == "built"
    assert result.snapshot is not None and result.snapshot.rows == 100
    assert {finding.outcome for finding in result.findings} == {Outcome.PASSED}
    assert {"rides", "trips"} <= set(result.stages)
    with open_instance(workspace) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("rides"))
        assert event is not None and event.asset_materialization is not None
        metadata = event.asset_materialization.metadata
        assert metadata["dagster/row_count"].value == 100
        assert str(metadata["digest"].value).startswith("sha256:")
        assert "data:image/png;base64," in str(metadata["rows_over_time"].value)
        assert event.run_id == result.run


def test_the_second_build_finds_everything_standing(repo: Path) -> None:
    repository, workspace = opened(repo)
    assert unchanged(repository, workspace, "dataset", "trips") is None
    first = launch(repository, workspace, "dataset", "trips")
    second = unchanged(repository, workspace, "dataset", "trips")
    assert second is not None and second.outcome == "reused" and second.run is None
    assert second.snapshot == first.snapshot
    assert {f.name for f in second.findings} == {f.name for f in first.findings}


def test_new_files_are_news_and_only_they_are_read(repo: Path) -> None:
    repository, workspace = opened(repo)
    launch(repository, workspace, "dataset", "trips")
    deliver(repo, "more", first=10, days=5)
    assert unchanged(repository, workspace, "dataset", "trips") is None
    result = launch(repository, workspace, "dataset", "trips")
    assert result.outcome == "built" and result.snapshot is not None and result.snapshot.rows == 150
    with open_instance(workspace) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey("rides"))
        assert event is not None and event.asset_materialization is not None
        assert event.asset_materialization.metadata["new_rows"].value == 50


def test_a_failed_rule_blocks_what_reads_the_dataset(repo: Path) -> None:
    repository, workspace = opened(repo)
    before = launch(repository, workspace, "dataset", "trips")
    deliver(repo, "twice", first=3, days=2)  # rides that are there already
    assert unchanged(repository, workspace, "dataset", "trips") is None
    result = launch(repository, workspace, "dataset", "trips")
    assert result.outcome == "failed" and result.snapshot is None
    failed = [finding for finding in result.findings if finding.outcome is Outcome.FAILED]
    assert {finding.name for finding in failed} >= {"ride.unique"}
    assert "trips" not in result.stages
    (repo / "landing" / "rides" / "twice.csv").unlink()
    standing = unchanged(repository, workspace, "dataset", "trips")
    assert standing is not None and standing.snapshot == before.snapshot


def test_rows_that_break_a_rule_are_set_aside_and_warned_of(tmp_path: Path) -> None:
    bounded = edited(RIDES, ("logicalType: number\n      - name: delay", BOUNDED))
    repo = write_repository(tmp_path / "repo", days=10, **{"data_contracts/rides.yaml": bounded})
    repository, workspace = opened(repo)
    result = launch(repository, workspace, "dataset", "rides")
    assert result.outcome == "built" and result.snapshot is not None
    assert result.snapshot.quarantined > 0 and result.snapshot.rows + result.snapshot.quarantined == 100
    assert [f.outcome for f in result.findings if f.name == "miles.maximum"] == [Outcome.WARNED]


BOUNDED = "logicalType: number\n        logicalTypeOptions: {maximum: 20}\n      - name: delay"


def test_a_relationship_waits_for_the_dataset_that_it_points_into(tmp_path: Path) -> None:
    points = edited(RIDES, ("      - name: delay\n", RELATED))
    stations = edited(
        RIDES, ("rides-1", "stations-1"), ("name: rides\n", "name: stations\n"), ("- name: rides", "- name: stations")
    )
    repo = write_repository(
        tmp_path / "repo", days=10, **{"data_contracts/rides.yaml": points, "data_contracts/stations.yaml": stations}
    )
    repository, workspace = opened(repo)
    result = launch(repository, workspace, "dataset", "rides")
    assert result.outcome == "built"
    assert {"stations", "rides"} <= set(result.stages)


NAMED = "- name: stations"
RELATED = "        relationships: [{type: foreignKey, to: stations.miles}]\n      - name: delay\n"


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("data_contracts/rides.yaml", "name: [", "rides.yaml:2"),
        ("data_contracts/trips.yaml", edited(TRIPS, ("logicalType: boolean", "logicalType: bool")), "trips.yaml:"),
        ("data_contracts/rides.yaml", edited(RIDES, ("landing/rides", "landing/nowhere")), "nowhere"),
    ],
)
def test_a_wrong_file_ends_with_2_before_dagster_starts(repo: Path, path: str, text: str, says: str) -> None:
    (repo / path).write_text(text)
    code, result, said = build(repo, "dataset", "trips")
    assert (code, result) == (2, None)
    assert says in said
    assert not (repo / ".acts" / "dagster").exists()


def test_there_is_no_such_dataset(repo: Path) -> None:
    code, result, said = build(repo, "dataset", "trip")
    assert (code, result) == (2, None)
    assert "rides, trips" in said


def test_sql_that_fails_ends_with_2_and_says_where(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file, result = repo / "data_contracts" / "trips.sql", repo / "result.json"
    file.write_text(file.read_text().replace("'good' AS grade", "CAST('x' AS INTEGER) AS grade"))
    assert main(command(repo, "dataset", "trips", result)[3:]) == 2
    said = capfd.readouterr().err
    assert "trips.sql" in said and "Traceback" not in said
    assert not result.exists()


def test_a_harmed_table_ends_with_3(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    launch(*opened(repo), "dataset", "rides")
    for log in (repo / ".acts" / "warehouse").rglob("_delta_log/*.json"):
        log.write_text("{")
    assert main(command(repo, "dataset", "rides", repo / "result.json")[3:]) == 3
    assert "damaged" in capfd.readouterr().err
    assert not (repo / "result.json").exists()


def test_nothing_changed_imports_no_dagster(repo: Path) -> None:
    launch(*opened(repo), "dataset", "trips")
    program = (
        "import sys; from dagster_project.__main__ import main;"
        f"code = main(['build', '--repo', {str(repo)!r}, '--kind', 'dataset', '--name', 'trips',"
        f" '--result', {str(repo / 'r.json')!r}]);"
        "sys.exit(code or bool({'dagster', 'polars', 'ray', 'pandas', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], env=environment(repo), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_builds_at_once(repo: Path) -> None:
    results = [repo / f"{number}.json" for number in range(2)]
    running = [
        subprocess.Popen(
            command(repo, "dataset", name, result), env=environment(repo), stderr=subprocess.PIPE, text=True
        )
        for name, result in zip(("trips", "rides"), results, strict=True)
    ]
    said = [process.communicate(timeout=200)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert unchanged(*opened(repo), "dataset", "trips") is not None
