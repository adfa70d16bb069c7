"""What Dagster is told: every contract and spec as assets with blocking checks, source to champion unbroken."""

from pathlib import Path

import dagster as dg
import pytest

from dagster_project.domain.monitored import PARTS
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.assembly import definitions_for
from dagster_project.factories.monitoring import monitoring_schedules
from dagster_project.factories.naming import identifier, owner, unique_identifiers
from dagster_project.factories.rule_checks import check_names
from dagster_project.factories.sensors import landing_sensor
from dagster_project.factories.values import documents_of
from tests.pipeline.small import deliver, opened, write_repository
from tests.trees import SPEC, edited, repository, tree

ROOT = Path(__file__).parents[2]
STAGES = ("features", "split", "search", "candidate", "evaluation", "champion", "deployment")


@pytest.fixture
def definitions(tmp_path: Path) -> dg.Definitions:
    workspace = Workspace(repo=tmp_path)
    return definitions_for(repository(), workspace, documents_of(workspace))


def test_every_contract_and_spec_becomes_assets(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    served = dg.AssetKey("prediction_log")
    expected = {
        dg.AssetKey("rides"),
        dg.AssetKey("trips"),
        *(dg.AssetKey(["tardy", stage]) for stage in (*STAGES, *PARTS, "experiment")),
        served,
    }
    assert set(graph.get_all_asset_keys()) == expected
    groups = {key.to_user_string(): graph.get(key).group_name for key in expected}
    assert (groups["rides"], groups["trips"], groups["tardy/candidate"]) == ("sources", "datasets", "tardy")
    assert groups["prediction_log"] == "serving"
    for key in expected:
        assert graph.get(key).description, key
        assert graph.get(key).owners == ["team:rides-team"], key


def test_lineage_is_unbroken_from_source_to_what_watches_the_champion(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    seen, waiting = set(), [dg.AssetKey(["tardy", part]) for part in (*PARTS, "experiment")]
    while waiting:
        key = waiting.pop()
        seen.add(key)
        waiting.extend(graph.get(key).parent_keys)
    assert seen == set(graph.get_all_asset_keys())


def test_parts_of_monitoring_run_by_themselves_where_the_spec_says_so() -> None:
    spec = edited(SPEC, ("task: binary\n", "task: binary\nmonitoring: {drift: {on: true, schedule: '7 4 * * 1'}}\n"))
    schedules = {each.name: each for each in monitoring_schedules(repository(tree(spec=spec)).specs["tardy"])}
    assert set(schedules) == {f"tardy_{part}" for part in PARTS}
    assert [name for name, each in schedules.items() if each.default_status.value == "RUNNING"] == ["tardy_drift"]
    assert schedules["tardy_drift"].cron_schedule == "7 4 * * 1"


def test_contract_rules_block_and_verdicts_do_not_run_in_builds(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert {"source", "columns", "rows", "parity", "bundle_complete", "ride_unique"} <= blocking
    assert "verdict" not in blocking
    job = definitions.resolve_job_def("build_model_tardy")
    checks = {key.name for key in job.asset_layer.asset_graph.asset_check_keys}
    assert "parity" in checks and "verdict" not in checks


def test_every_rule_is_answered_by_a_check_of_its_own_or_of_its_kind() -> None:
    contract = repository().contracts["trips"]
    names = check_names(contract)
    assert names["ride.required"] == "rows"
    assert names["ride.unique"] == "ride_unique"
    assert len(set(names.values()) - {"rows", "columns"}) == sum(
        name not in ("rows", "columns") for name in names.values()
    )


def test_a_sensor_asks_for_a_build_when_files_landed(tmp_path: Path) -> None:
    contracts, workspace = opened(write_repository(tmp_path, days=2))
    sensor = landing_sensor(contracts.contracts["rides"], workspace)
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED

    def evaluate(cursor: str | None) -> dg.SensorResult:
        result = sensor(dg.build_sensor_context(cursor=cursor))
        assert isinstance(result, dg.SensorResult)
        return result

    first = evaluate(None)
    assert first.run_requests and first.cursor
    assert not evaluate(first.cursor).run_requests
    deliver(tmp_path, "more", first=2, days=1)
    assert evaluate(first.cursor).run_requests


def test_names_that_dagster_accepts() -> None:
    assert owner("flight-data") == "team:flight-data"
    assert owner("a@b.org") == "a@b.org"
    assert identifier("Ankunft: Verspätung ≥ 0!") == "ankunft_versp_tung_0"
    assert unique_identifiers(["a b", "a-b", "a_b"]) == {"a b": "a_b", "a-b": "a_b_2", "a_b": "a_b_3"}


def test_one_screen() -> None:
    assert len((ROOT / "dagster_project" / "definitions.py").read_text().splitlines()) <= 40
