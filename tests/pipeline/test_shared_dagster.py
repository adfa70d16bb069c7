"""Dagster's history in a team's PostgreSQL: who may open it, and what carries commit and pull request."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from dagster_project.__main__ import main
from dagster_project.domain.dagster_ui import asset_url, judged_path, run_url, ui_of
from dagster_project.domain.errors import MachineryError, UsageError
from dagster_project.domain.fingerprint import ROOT
from dagster_project.domain.origin import Origin
from dagster_project.domain.workspace import Workspace
from dagster_project.factories import shared
from dagster_project.factories.instance import open_instance
from dagster_project.factories.provenance import origin_of
from dagster_project.factories.record import lock_event, marked, report_events, verdict_events
from tests.pipeline.small import commit
from tests.pipeline.test_records import EVALUATION, LOCK, last_check, verdict_of
from tests.postgres import OWNER, Postgres, running

PASSWORD = "s3cret%2F/:word"
SHA = "ab12" * 10
ORIGIN = Origin(commit=SHA, pull_request=17, launcher="github")
TAGS = {"acts/commit": SHA, "acts/pull_request": "17", "acts/launcher": "github"}
DEPLOYMENT = ROOT / "dagster_project" / "deployment"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running(PASSWORD) as server:
        yield server


@pytest.fixture
def database(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """An empty database, named by the environment; its password comes from ACTS_DAGSTER_PASSWORD."""
    postgres.execute("DROP DATABASE IF EXISTS history", "CREATE DATABASE history")
    monkeypatch.setenv(shared.POSTGRES_URL, f"postgresql://{OWNER}@127.0.0.1:{postgres.port}/history")
    monkeypatch.setenv("ACTS_DAGSTER_PASSWORD", PASSWORD)
    return postgres


def test_what_is_told_is_there_for_everybody(database: Postgres, tmp_path: Path) -> None:
    events = [*verdict_events(verdict_of("failed"), None), lock_event(LOCK, "champion"), lock_event(LOCK, "deployment")]
    with open_instance(Workspace(repo=tmp_path / "ci")) as instance:
        report_events(instance, [marked(event, ORIGIN) for event in events])
    with open_instance(Workspace(repo=tmp_path / "reader")) as instance:
        for key in (EVALUATION, dg.AssetKey(["tardy", "champion"]), dg.AssetKey(["tardy", "deployment"])):
            event = instance.get_latest_materialization_event(key)
            assert event is not None and event.asset_materialization is not None
            assert event.asset_materialization.tags == TAGS
            assert {name: event.asset_materialization.metadata[name].value for name in TAGS} == TAGS
        check = last_check(instance, EVALUATION)
        assert not check.passed and check.metadata["acts/pull_request"].value == "17"
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written and not [path for path in written if b"s3cret" in path.read_bytes()]
    assert not [path for path in written if path.suffix == ".db"]


def test_a_dataset_s_verdict_is_marked_too(tmp_path: Path) -> None:
    observed, checked = (marked(event, ORIGIN) for event in verdict_events(verdict_of("passed", "dataset", "t"), None))
    assert isinstance(observed, dg.AssetObservation) and observed.tags == TAGS
    assert isinstance(checked, dg.AssetCheckEvaluation) and checked.metadata["acts/commit"].value == SHA
    assert checked.passed and checked.check_name == "verdict" and "findings" in checked.metadata


def test_tables_are_made_by_one_at_a_time(database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = shared.shared_url(os.environ)
    assert url is not None
    with shared.alone(url), monkeypatch.context() as impatient:
        impatient.setattr(shared, "WAIT_SECONDS", 1)
        with pytest.raises(MachineryError, match="lock timeout"):
            open_instance(Workspace(repo=tmp_path))
    with open_instance(Workspace(repo=tmp_path)) as instance:
        assert instance.get_runs_count() == 0


@pytest.mark.parametrize("where", ["url", "ACTS_DAGSTER_PASSWORD"])
def test_a_wrong_password_is_not_repeated(
    database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], where: str
) -> None:
    monkeypatch.setattr(shared, "PAUSES", (0.1,))
    if where == "url":
        monkeypatch.delenv("ACTS_DAGSTER_PASSWORD")
        monkeypatch.setenv(shared.POSTGRES_URL, f"postgres://{OWNER}:tell-nobody@127.0.0.1:{database.port}/history")
    else:
        monkeypatch.setenv("ACTS_DAGSTER_PASSWORD", "tell-nobody")
    with pytest.raises(MachineryError, match=r"127\.0\.0\.1:\d+/history can't be used: .*password authent") as caught:
        open_instance(Workspace(repo=tmp_path))
    assert "ACTS_DAGSTER_POSTGRES_URL" in str(caught.value) and caught.value.__cause__ is None
    verdict = tmp_path / "verdict.json"
    verdict.write_text(verdict_of("passed").to_json())
    assert main(["record", "--repo", str(tmp_path), str(verdict)]) == 3
    told = capfd.readouterr()
    assert "can't be used" in told.err and "Traceback" not in told.err
    assert "tell-nobody" not in f"{told} {caught.value}"


def test_a_database_that_breaks_later_is_named_too(
    database: Postgres, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its words come through Dagster's and SQLAlchemy's errors, from the middle of the work."""
    verdict = tmp_path / "verdict.json"
    verdict.write_text(verdict_of("passed").to_json())
    assert main(["record", "--repo", str(tmp_path), str(verdict)]) == 0
    database.execute("ALTER TABLE asset_keys RENAME TO gone", database="history")
    assert main(["record", "--repo", str(tmp_path), str(verdict)]) == 3
    told = capfd.readouterr().err
    assert "Dagster's shared database 127.0.0.1" in told and "does not exist" in told and "Traceback" not in told


@pytest.mark.parametrize(
    "address",
    ["banana", "mysql://u@h/d", "postgresql://u:tell-nobody@h:x/d", "postgresql://u:tell/nobody@h:5432", "postgres://"],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(UsageError, match=r"ACTS_DAGSTER_POSTGRES_URL: not an address like postgresql://") as caught:
        shared.shared_url({shared.POSTGRES_URL: address})
    assert "nobody" not in str(caught.value) and caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_nothing_is_shared_unless_asked() -> None:
    assert shared.shared_url({}) is None and shared.shared_url({shared.POSTGRES_URL: ""}) is None


def test_the_origin_is_what_ci_says() -> None:
    told = {"ACTS_COMMIT": SHA, "ACTS_PULL_REQUEST": "17", "ACTS_LAUNCHER": "github"}
    assert Origin.of(told) == ORIGIN and ORIGIN.tags == TAGS
    assert Origin.of({"ACTS_PULL_REQUEST": ""}).tags == {"acts/launcher": "local"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACTS_COMMIT", "main"),
        ("ACTS_COMMIT", SHA + "\n"),
        ("ACTS_PULL_REQUEST", "17 #"),
        ("ACTS_PULL_REQUEST", "0"),
        ("ACTS_LAUNCHER", "a b"),
    ],
)
def test_what_is_no_origin(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=rf"^{name}: "):
        Origin.of({name: value})


def test_without_word_the_commit_is_the_one_checked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(repo=tmp_path)
    for name in ("ACTS_COMMIT", "ACTS_PULL_REQUEST", "ACTS_LAUNCHER"):
        monkeypatch.delenv(name, raising=False)
    assert origin_of(workspace).tags == {"acts/launcher": "local"}
    (tmp_path / "file").write_text("a")
    head = commit(tmp_path)
    assert origin_of(workspace).commit == head
    (tmp_path / "file").write_text("b")
    assert origin_of(workspace).commit is None
    monkeypatch.setenv("ACTS_COMMIT", SHA)
    assert origin_of(workspace).commit == SHA


def test_pages_of_the_ui() -> None:
    assert ui_of({}) is None
    ui = ui_of({"ACTS_DAGSTER_UI": "https://dagster.example.com/team/"})
    assert ui == "https://dagster.example.com/team"
    assert run_url(ui, "../x y") == f"{ui}/runs/..%2Fx%20y"
    assert asset_url(ui, judged_path("model", "tardy")) == f"{ui}/assets/tardy/evaluation"
    for wrong in ("dagster", "ftp://x", "https://user@x", 'https://x/"><script>', "https://x/)", "https://x/?a=b"):
        with pytest.raises(UsageError, match="ACTS_DAGSTER_UI"):
            ui_of({"ACTS_DAGSTER_UI": wrong})


def test_the_compose_file_shows_nothing_to_others() -> None:
    compose = yaml.safe_load((DEPLOYMENT / "compose.yaml").read_text())
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 2 and all(port.startswith("127.0.0.1:") for port in ports)
    for service in compose["services"].values():
        secrets = {value for name, value in service["environment"].items() if "PASSWORD" in name}
        assert secrets == {"${DAGSTER_DB_PASSWORD:?choose a password for the database}"}
        assert ":?" not in str(service["environment"].get("ACTS_DAGSTER_POSTGRES_URL", ""))
    for name in ("webserver", "daemon"):
        assert [volume["target"] for volume in compose["services"][name]["volumes"] if volume.get("read_only")]


def test_the_compose_file_is_one() -> None:
    from check_jsonschema import main as check

    with pytest.raises(SystemExit) as ended:
        check(["--builtin-schema", "vendor.compose-spec", str(DEPLOYMENT / "compose.yaml")])
    assert ended.value.code == 0


def test_ci_s_role_adds_and_deletes_nothing(
    database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role of docs/dagster.md, as it stands there."""
    with open_instance(Workspace(repo=tmp_path)):
        pass
    statements = (ROOT / "docs" / "dagster.md").read_text().split("```sql\n")[1].split("```")[0]
    database.execute("DROP ROLE IF EXISTS ci")
    database.execute(*statements.strip().split("\n"), f"ALTER ROLE ci PASSWORD '{PASSWORD}'", database="history")
    monkeypatch.setenv(shared.POSTGRES_URL, f"postgresql://ci@127.0.0.1:{database.port}/history")
    with open_instance(Workspace(repo=tmp_path)) as instance:
        report_events(instance, [marked(event, ORIGIN) for event in verdict_events(verdict_of("passed"), None)])
        run = dg.materialize([_small_asset()], instance=instance, tags=TAGS)
        assert run.success
        assert last_check(instance, EVALUATION).passed
        with pytest.raises(Exception, match="permission denied"):
            instance.delete_run(run.run_id)
        assert instance.get_run_by_id(run.run_id) is not None


def _small_asset() -> dg.AssetsDefinition:
    @dg.asset(check_specs=[dg.AssetCheckSpec("whole", asset="small", blocking=True)])
    def small() -> dg.MaterializeResult:
        return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])

    return small
