"""Several CI jobs write to one PostgreSQL at once, and the team's webserver shows what they did."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.domain.build import BuildResult
from dagster_project.domain.fingerprint import ROOT
from dagster_project.domain.promotion import lock_text
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.instance import open_instance
from dagster_project.factories.shared import POSTGRES_URL
from tests.pipeline.small import command, commit, environment, write_repository
from tests.pipeline.test_records import LOCK, verdict_of
from tests.postgres import OWNER, running

pytestmark = pytest.mark.slow
DEPLOYMENT = ROOT / "dagster_project" / "deployment"
PULLS = (17, 18)
RUNS = """query ($tags: [ExecutionTag!]) { runsOrError(filter: {tags: $tags}) { ... on Runs { results {
  runId status jobName tags { key value } } } } }"""
ASSET = """query ($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
  assetMaterializations { description tags { key value }
    metadataEntries { label ... on TextMetadataEntry { text } } } } } }"""


@dataclass
class History:
    """Where it is, what each pull request's job built, and the commit of each."""

    url: str
    results: dict[int, BuildResult]
    commits: dict[int, str]
    repos: dict[int, Path]
    said: str

    def environment(self, pull: int) -> dict[str, str]:
        """A trusted CI job's environment."""
        told = {"ACTS_PULL_REQUEST": str(pull), "ACTS_COMMIT": self.commits[pull], "ACTS_LAUNCHER": "github"}
        return {**environment(self.repos[pull]), **told, POSTGRES_URL: self.url}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Two jobs, each with its own checkout, build at once into an empty database; then one judges and promotes."""
    folder = tmp_path_factory.mktemp("jobs")
    with running() as server:
        server.execute("CREATE DATABASE history")
        repos = {pull: write_repository(folder / f"pull{pull}", days=10) for pull in PULLS}
        url = f"postgresql+psycopg2://{OWNER}@127.0.0.1:{server.port}/history"
        made = History(url, {}, {pull: commit(repo) for pull, repo in repos.items()}, repos, "")
        _build_at_once(made)
        _record(made, folder)
        yield made


def _build_at_once(history: History) -> None:
    files = {pull: history.repos[pull].with_suffix(".json") for pull in PULLS}
    jobs = [
        subprocess.Popen(
            command(history.repos[pull], "dataset", "trips", files[pull]), env=history.environment(pull),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for pull in PULLS
    ]  # fmt: skip
    history.said = "".join(job.communicate(timeout=120)[0] for job in jobs)
    assert [job.returncode for job in jobs] == [0, 0], history.said
    history.results.update({pull: BuildResult.from_json(files[pull].read_bytes()) for pull in PULLS})


def _record(history: History, folder: Path) -> None:
    verdict, lock = folder / "verdict.json", folder / "champion.lock.yaml"
    verdict.write_text(verdict_of("passed").to_json())
    lock.write_text(lock_text(LOCK))
    program = [sys.executable, "-m", "dagster_project", "record", "--repo", str(history.repos[17])]
    for arguments in ([str(verdict), str(lock)], ["--deployed", str(lock)]):
        subprocess.run([*program, *arguments], env=history.environment(17), check=True)


def test_both_builds_are_there_for_a_third(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POSTGRES_URL, history.url)
    with open_instance(Workspace(repo=tmp_path)) as instance:
        assert instance.get_runs_count() == 2
        for pull in PULLS:
            result = history.results[pull]
            assert result.shared and result.outcome == "built" and result.run is not None
            run = instance.get_run_by_id(result.run)
            assert run is not None and run.is_success
            mine = {"acts/pull_request": str(pull), "acts/commit": history.commits[pull], "acts/launcher": "github"}
            assert run.tags == {**run.tags, **mine, "acts/kind": "dataset", "acts/name": "trips"}
            found = instance.get_runs(dg.RunsFilter(tags=mine))
            assert [one.run_id for one in found] == [result.run]
            events = instance.fetch_materializations(dg.AssetKey("trips"), limit=5).records
            assert result.run in {event.run_id for event in events}
    assert "Retrying" not in history.said
    assert not [*history.repos[17].rglob("*.db")]


def test_a_job_without_the_setting_keeps_its_runs(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork's job has no credentials: its run is on its own disk alone."""
    repo = write_repository(tmp_path / "fork", days=10)
    file = tmp_path / "result.json"
    subprocess.run(command(repo, "dataset", "rides", file), env=environment(repo), check=True, capture_output=True)
    result = BuildResult.from_json(file.read_bytes())
    assert result.run is not None and not result.shared
    with open_instance(Workspace(repo=repo)) as own:
        assert own.get_run_by_id(result.run) is not None
    monkeypatch.setenv(POSTGRES_URL, history.url)
    with open_instance(Workspace(repo=repo)) as instance:
        assert instance.get_run_by_id(result.run) is None


def test_the_webserver_shows_runs_and_events(history: History, tmp_path: Path) -> None:
    mine = {"acts/pull_request": "17", "acts/commit": history.commits[17], "acts/launcher": "github"}
    with webserver(history, tmp_path) as address:
        tags = [{"key": key, "value": value} for key, value in mine.items()]
        (run,) = ask(address, RUNS, tags=tags)["runsOrError"]["results"]
        assert (run["runId"], run["status"], run["jobName"]) == (
            history.results[17].run, "SUCCESS", "build_dataset_trips",
        )  # fmt: skip
        for stage in ("evaluation", "champion", "deployment"):
            (event,) = ask(address, ASSET, key={"path": ["tardy", stage]})["assetOrError"]["assetMaterializations"]
            assert {tag["key"]: tag["value"] for tag in event["tags"]} == mine
            told = {entry["label"]: entry.get("text") for entry in event["metadataEntries"]}
            assert told == {**told, **mine}
        for page in (f"/runs/{run['runId']}", "/assets/tardy/evaluation", "/assets/trips"):
            with urllib.request.urlopen(address + page, timeout=30) as answer:
                assert answer.status == 200


@contextmanager
def webserver(history: History, folder: Path) -> Iterator[str]:
    """The team's webserver with the settings of ``deployment``; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {
        "DAGSTER_HOME": str(DEPLOYMENT), "DAGSTER_LOGS": str(folder / "logs"), "ACTS_REPO": str(history.repos[17]),
        "ACTS_HOME": str(folder / "home"), POSTGRES_URL: history.url, "DAGSTER_DISABLE_TELEMETRY": "yes",
    }  # fmt: skip
    program = Path(sys.executable).with_name("dagster-webserver")
    log = folder / "webserver.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, "--read-only", "-h", "127.0.0.1", "-p", str(port), "-w", DEPLOYMENT / "workspace.yaml"],
            env={**os.environ, **variables}, cwd=folder, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield _answering(f"http://127.0.0.1:{port}", process, log)
    finally:
        process.terminate()
        process.wait(30)


def _answering(address: str, process: "subprocess.Popen[bytes]", log: Path) -> str:
    end = time.monotonic() + 90
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):
                return address
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(f"no webserver: {log.read_text()[-3000:]}")


def ask(address: str, query: str, **variables: Any) -> dict[str, Any]:
    """A GraphQL query's data."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = json.load(answer)
    assert "errors" not in found, found["errors"]
    return dict(found["data"])
