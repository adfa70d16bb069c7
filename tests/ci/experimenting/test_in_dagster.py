"""Dagster asks whether an experiment is due and starts ``acts experiment`` as a program."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ci.git import GitTree
from dagster_project.domain.errors import MachineryError
from dagster_project.domain.experimenting import LEDGER
from dagster_project.domain.loading import load_repository
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.assembly import definitions_for
from dagster_project.factories.experiments import (
    KIND,
    NAME,
    PROPOSED,
    STAGE,
    experiment_check,
    experiment_events,
    experiment_job_name,
    experiment_key,
    experiment_sensor,
    run_experiment,
)
from dagster_project.factories.instance import open_instance
from dagster_project.factories.values import documents_of
from dagster_project.storage.ledger import Ledger
from tests.ci.experimenting.conftest import on_main, tried
from tests.ci.workbench import GOOD, MODEL, SPEC, WEAK
from tests.trees import edited

SCHEDULED = "task: binary\nexperiment: {on: true, schedule: '0 5 * * *', pause: P1D}\n"


def sensor_of(repo: Path, spec: str = SCHEDULED) -> dg.SensorDefinition:
    on_main(repo, {SPEC: edited(WEAK, ("task: binary\n", spec))})
    known = load_repository(GitTree(repo, "main"))
    model = known.specs[MODEL]
    return experiment_sensor(model, known.contracts[model.contract.name], known.locks.get(MODEL), Workspace(repo=repo))


def asked(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> object:
    with dg.build_sensor_context(instance=instance) as context:
        return sensor(context)


def test_what_is_due_starts_one_run_and_no_second_beside_it(repo: Path) -> None:
    sensor = sensor_of(repo)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    with dg.instance_for_test() as instance:
        wanted = asked(sensor, instance)
        assert isinstance(wanted, dg.RunRequest) and wanted.tags["acts/causes"] == "schedule"
        assert wanted.tags[KIND] == STAGE and wanted.tags[NAME] == MODEL
        instance.add_run(dg.DagsterRun("beside", status=dg.DagsterRunStatus.STARTED, tags=dict(wanted.tags)))
        skipped = asked(sensor, instance)
        assert isinstance(skipped, dg.SkipReason) and skipped.skip_message == "an experiment is running"


def test_an_experiment_that_was_made_is_not_due_again(repo: Path) -> None:
    sensor = sensor_of(repo)
    row = tried(repo)
    Ledger(Workspace(repo=repo).ledger, LEDGER).append(
        row.model_copy(update={"now": datetime.now(UTC)}).model_dump(mode="json")
    )
    with dg.instance_for_test() as instance:
        skipped = asked(sensor, instance)
        assert isinstance(skipped, dg.SkipReason) and skipped.skip_message == "nothing is due"


def test_off_until_the_spec_says_otherwise(repo: Path) -> None:
    assert sensor_of(repo, "task: binary\n").default_status is dg.DefaultSensorStatus.STOPPED


def test_every_ending_is_told_and_what_was_not_proposed_warns(repo: Path) -> None:
    row = tried(repo)
    made, check = experiment_events(row.model_copy(update={"ending": "refused", "words": ("roc_auc: no gain",)}))
    assert isinstance(check, dg.AssetCheckEvaluation) and not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN and "roc_auc: no gain" in str(made.description)
    _, check = experiment_events(row.model_copy(update={"ending": "opened"}))
    assert isinstance(check, dg.AssetCheckEvaluation) and check.passed
    assert len(experiment_events(row.model_copy(update={"ending": "broken"}))) == 1, "it has neither passed nor failed"


def test_operators_see_each_experiment_whoever_started_it(repo: Path) -> None:
    row, workspace = tried(repo), Workspace(repo=repo)
    with open_instance(workspace) as instance:
        event = instance.get_latest_materialization_event(experiment_key(MODEL))
    assert event and event.asset_materialization
    assert event.asset_materialization.metadata["ending"].value == row.ending
    assert (event.asset_materialization.tags or {})["acts/launcher"] == "experiment"
    known = load_repository(GitTree(repo, "main"))
    found = experiment_check(known.specs[MODEL], workspace)()
    assert isinstance(found, dg.AssetCheckResult) and found.passed is (row.ending in PROPOSED)


def test_a_program_that_does_not_answer_is_the_machinery(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MachineryError, match="exit code 2"):
        run_experiment("tardi", Workspace(repo=repo), ())
    assert "there is no model 'tardi'" in capfd.readouterr().err


@pytest.mark.slow
def test_the_job_starts_the_program_and_the_asset_shows_what_came_of_it(
    repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    on_main(repo, {SPEC: GOOD})
    workspace = Workspace(repo=repo)
    known = load_repository(GitTree(repo, "main"))
    definitions = definitions_for(known, workspace, documents_of(workspace))
    with open_instance(workspace) as instance:
        assert definitions.resolve_job_def(experiment_job_name(MODEL)).execute_in_process(instance=instance).success
        event = instance.get_latest_materialization_event(experiment_key(MODEL))
    assert event and event.asset_materialization and event.asset_materialization.metadata["ending"].value == "opened"
    (row,) = Ledger(workspace.ledger, LEDGER).rows()
    assert row["ending"] == "opened" and row["causes"] == ["manual"]
