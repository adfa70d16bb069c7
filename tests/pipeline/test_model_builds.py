"""A model from its spec to a bundle, in a real Dagster run with a real search on Ray."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.__main__ import INTERRUPTED
from dagster_project.domain.build import BuildResult
from dagster_project.domain.verdict import Outcome
from dagster_project.factories.instance import open_instance
from dagster_project.factories.unchanged import unchanged
from dagster_project.storage.bundles import is_complete
from dagster_project.storage.store import ArtifactStore
from tests.pipeline.small import build, command, commit, deliver, environment, opened, rows_of, write_repository
from tests.trees import SPEC_FILE, edited


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, BuildResult, str]:
    repo = write_repository(tmp_path_factory.mktemp("model") / "repo")
    head = commit(repo)
    code, result, said = build(repo, "model", "tardy")
    assert code == 0 and result is not None, said
    return repo, head, result, said


def test_the_result_names_a_whole_bundle(built: tuple[Path, str, BuildResult, str]) -> None:
    repo, _, result, said = built
    assert result.outcome == "built" and result.bundle and result.snapshot and result.snapshot.rows == 1200
    assert is_complete(ArtifactStore(str(repo / ".acts" / "store")), result.bundle)
    assert {"parity", "bundle_complete", "ride.unique"} <= {finding.name for finding in result.findings}
    assert {"rides", "trips", "tardy/split", "tardy/candidate", "search", "refit"} <= set(result.stages)
    assert "rides: 1,200 rows" in said and "[1/1] trial 0 logistic_regression" in said
    assert "Warning" not in said and "STEP_START" not in said


def test_refs_and_ledgers(built: tuple[Path, str, BuildResult, str]) -> None:
    repo, head, result, _ = built
    store = ArtifactStore(str(repo / ".acts" / "store"))
    ref = store.get_ref(f"builds/tardy/{result.build_key}")
    assert ref is not None and ref["bundle"] == result.bundle and ref["seconds"] > 0
    assert store.get_ref("latest/model/tardy") is not None
    vouched = rows_of(repo, "provenance")[0]
    assert (vouched["bundle"], vouched["commit"], vouched["dirty"]) == (result.bundle, head, False)
    assert (vouched["run"], vouched["launcher"]) == (result.run, "local")
    assert [row["reused"] for row in rows_of(repo, "builds")][:1] == [False]


def test_what_people_look_at(built: tuple[Path, str, BuildResult, str]) -> None:
    repo, _, result, _ = built
    _, workspace = opened(repo)
    with open_instance(workspace) as instance:
        shown = {}
        for stage in ("features", "split", "search", "candidate"):
            event = instance.get_latest_materialization_event(dg.AssetKey(["tardy", stage]))
            assert event is not None and event.asset_materialization is not None and event.run_id == result.run
            shown[stage] = event.asset_materialization.metadata
    assert shown["candidate"]["bundle"].value == result.bundle
    assert shown["split"]["validation_rows"].value == 300
    for stage, picture in (("search", "course"), ("candidate", "roc"), ("candidate", "calibration")):
        assert "data:image/png;base64," in str(shown[stage][picture].value)
    assert "| miles | number |" in str(shown["features"]["columns"].value)


def test_gates_and_words_train_nothing_again(built: tuple[Path, str, BuildResult, str]) -> None:
    repo, _, first, _ = built
    file = repo / SPEC_FILE
    before = file.read_text()
    file.write_text(edited(before, ("minimum: 0.6", "minimum: 0.61"), ("Will the ride be late?", "Is it late?")))
    try:
        code, result, said = build(repo, "model", "tardy")
    finally:
        file.write_text(before)
    assert code == 0 and result is not None and result.outcome == "reused"
    assert (result.bundle, result.build_key, result.run) == (first.bundle, first.build_key, None)
    assert {f.name for f in result.findings} == {f.name for f in first.findings}
    assert "nothing has changed" in said
    assert rows_of(repo, "builds")[-1]["reused"] is True
    assert len(rows_of(repo, "provenance")) == 1


def test_what_training_reads_is_another_build(built: tuple[Path, str, BuildResult, str]) -> None:
    repo, _, _, _ = built
    file = repo / SPEC_FILE
    before = file.read_text()
    file.write_text(edited(before, ("seed: 7", "seed: 8")))
    try:
        assert unchanged(*opened(repo), "model", "tardy") is None
    finally:
        file.write_text(before)
    assert unchanged(*opened(repo), "model", "tardy") is not None


def test_a_harmed_bundle_is_the_machinerys_fault(built: tuple[Path, str, BuildResult, str]) -> None:
    repo, _, result, _ = built
    store = ArtifactStore(str(repo / ".acts" / "store"))
    manifest = json.loads(store.get(result.bundle or ""))
    blob = Path(store.where(manifest["files"]["model.onnx"]["digest"]))
    data = blob.read_bytes()
    blob.write_bytes(data[:-1] + b"x")
    try:
        code, found, said = build(repo, "model", "tardy")
    finally:
        blob.write_bytes(data)
    assert (code, found) == (3, None)
    assert "build again" in said


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Path]:
    yield write_repository(tmp_path / "repo")


def trainers_of(repo: Path) -> list[int]:
    """Ids of training programs that were started for the repository."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                mine = f"ACTS_REPO={repo}\0".encode() in place.joinpath("environ").read_bytes()
                if mine and b"factories.trainer" in place.joinpath("cmdline").read_bytes():
                    found.append(int(place.name))
            except OSError:
                continue
    return found


def wait_for(condition: object, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.2)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_training_ends_with_the_build(fresh: Path, ending: signal.Signals) -> None:
    result = fresh / "result.json"
    process = subprocess.Popen(command(fresh, "model", "tardy", result), env=environment(fresh))
    try:
        assert wait_for(lambda: trainers_of(fresh), 120)
        time.sleep(3)
        os.kill(process.pid, ending)
        assert process.wait(timeout=90) == (-ending if ending == signal.SIGKILL else INTERRUPTED)
        assert wait_for(lambda: not trainers_of(fresh), 30)
    finally:
        process.kill()
        process.wait()
    assert not result.exists()
    assert not ArtifactStore(str(fresh / ".acts" / "store")).refs("builds")


@pytest.mark.slow
def test_new_rows_train_again_and_a_later_build_recovers(fresh: Path) -> None:
    code, first, said = build(fresh, "model", "tardy")
    assert code == 0 and first is not None, said
    deliver(fresh, "later", first=120, days=10)
    code, second, said = build(fresh, "model", "tardy")
    assert code == 0 and second is not None, said
    assert second.outcome == "built" and second.build_key != first.build_key
    assert all(finding.outcome is not Outcome.FAILED for finding in second.findings)
