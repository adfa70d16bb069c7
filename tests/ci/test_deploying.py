"""``acts deploy`` on real repositories, bundles, verdicts and locks; servers are played by threads."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci.main import main
from ci.promotion import promote
from ci.session import open_head
from dagster_project.domain.deployment import DesiredState, ServedModel
from dagster_project.domain.lock import ChampionLock
from dagster_project.domain.specs import load_lock
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.deployments import Deployments
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore
from tests.ci.players import all_live, rejection, report, server, serving
from tests.ci.workbench import COARSE_SQL, GOOD, MODEL, SPEC, SQL, WEAK, change, git, judged, quick_build, save, settled
from tests.trees import edited

LOCK = f"models/{MODEL}/champion.lock.yaml"
TRIPS = "data_contracts/trips.yaml"
Acts = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Main with a weak champion (tag first) and then a better one (tag second)."""
    repo = settled(tmp_path_factory.mktemp("crowned") / "repo", spec="")
    for spec, tag in ((WEAK, "first"), (GOOD, "second")):
        git(repo, "switch", "-q", "-c", f"{tag}-change")
        change(repo, SPEC, spec)
        save(repo, f"{tag} model")
        quick_build(repo)
        assert judged(repo).verdict.promotable
        promote(*open_head(repo), MODEL)
        save(repo, "promote")
        git(repo, "switch", "-q", "main")
        git(repo, "merge", "-q", f"{tag}-change")
        git(repo, "tag", tag)
    return repo


@pytest.fixture
def repo(crowned: Path, tmp_path: Path) -> Path:
    shutil.copytree(crowned, tmp_path / "repo", symlinks=True)
    return tmp_path / "repo"


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ChampionLock, bool]]:
    """Locks that Dagster was told of; the real program is started by the slow test below."""
    told: list[tuple[ChampionLock, bool]] = []

    def record(workspace: Workspace, *files: Path, deployed: bool = False) -> None:
        told.extend((load_lock(file.read_bytes(), file.name), deployed) for file in files)

    monkeypatch.setattr("ci.deploying.publishing.record", record)
    return told


@pytest.fixture
def acts(repo: Path, recorded: object, capsys: pytest.CaptureFixture[str]) -> Acts:
    """Run ``acts deploy``; exit code, output and error output."""

    def run(*arguments: str, wait: float = 0, where: Path = repo) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["deploy", "--repo", str(where), "--wait", str(wait), *arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def deployments(repo: Path) -> Deployments:
    workspace = Workspace(repo=repo)
    return Deployments(ArtifactStore(workspace.store), workspace.serving)


def lock_of(repo: Path, revision: str = "HEAD") -> ChampionLock:
    return load_lock(git(repo, "show", f"{revision}:{LOCK}"), LOCK)


def desired(deployments: Deployments) -> DesiredState:
    found = deployments.desired()
    assert found is not None
    return found[1]


def rows(repo: Path) -> list[dict[str, Any]]:
    return Ledger(Workspace(repo=repo).ledger, "deployments").rows()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_locks_of_the_commit_become_the_desired_state(
    repo: Path, acts: Acts, deployments: Deployments, recorded: list[Any]
) -> None:
    code, output, _ = acts(wait=5)
    assert code == 0, output
    state = desired(deployments)
    assert state.commit == git(repo, "rev-parse", "HEAD")
    assert {name: model.lock for name, model in state.models.items()} == {MODEL: lock_of(repo)}
    assert [entry.name for entry in state.models[MODEL].inputs] == ["miles", "carrier", "seats"]
    assert state.models[MODEL].owners == ("rides-team",) and state.models[MODEL].id_column == "ride"
    assert "new: logistic_regression" in output and "No server is running" in output
    (row,) = rows(repo)
    expected = {"commit": state.commit, "digest": state.content_digest(), "previous": None, "withdrawn": []}
    assert {**expected, "models": {MODEL: lock_of(repo).onnx}}.items() <= row.items()
    assert recorded == [(lock_of(repo), True)]


def test_a_bundle_without_examples_is_not_deployed(repo: Path) -> None:
    from ci.deploying.desired import Evidence, desired_state
    from dagster_project.domain.bundle import REFERENCE

    head, store = open_head(repo)[1], ArtifactStore(Workspace(repo=repo).store)
    manifest = load_manifest(store, lock_of(repo).bundle)
    files = {name: entry for name, entry in manifest.files.items() if name != REFERENCE}
    evidence = Evidence(manifest=manifest.model_copy(update={"files": files}))
    state, obstacles = desired_state("c" * 40, head, {MODEL: evidence})
    assert MODEL not in state.models and any("no reference.json" in obstacle.message for obstacle in obstacles)


def test_the_working_folder_is_never_read(repo: Path, acts: Acts, deployments: Deployments) -> None:
    change(repo, LOCK, "no: lock\n")
    change(repo, SPEC, "nonsense: [")
    change(repo, "models/other/spec.yaml", "x")
    assert acts()[0] == 0
    assert desired(deployments).models[MODEL].lock == lock_of(repo)


def test_a_bare_repository_can_be_deployed(
    repo: Path, acts: Acts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    monkeypatch.setenv("ACTS_STORE", Workspace(repo=repo).store)
    code, output, _ = acts(where=tmp_path / "bare.git")
    assert code == 0 and "Published as" in output


def test_the_same_state_again_writes_nothing_but_still_waits(
    repo: Path, acts: Acts, deployments: Deployments, recorded: list[Any]
) -> None:
    acts()
    before = contents(repo / ".acts")
    code, output, _ = acts()
    assert code == 0 and "Nothing to publish" in output
    assert contents(repo / ".acts") == before and len(rows(repo)) == len(recorded) == 1
    deployments.report(report("a", None, {}))
    assert acts(wait=0.2)[0] == 3


def test_another_commit_with_the_same_locks_is_published_without_news_for_dagster(
    repo: Path, acts: Acts, deployments: Deployments, recorded: list[Any]
) -> None:
    acts()
    change(repo, SPEC, edited(GOOD, ("owners: [rides-team]", "owners: [other-team]")))
    commit = save(repo, "new owners")
    code, output, _ = acts()
    assert code == 0 and "served differently: owners" in output
    assert desired(deployments).commit == commit and desired(deployments).models[MODEL].owners == ("other-team",)
    assert len(rows(repo)) == 2 and len(recorded) == 1


def test_reverting_the_lock_rolls_back(repo: Path, acts: Acts, deployments: Deployments, recorded: list[Any]) -> None:
    first, second = lock_of(repo, "first"), lock_of(repo, "second")
    assert first.onnx != second.onnx and second.replaces == first.onnx
    acts("--commit", "first")
    acts()
    assert desired(deployments).models[MODEL].lock == second
    git(repo, "revert", "--no-edit", "HEAD")
    code, output, _ = acts()
    assert code == 0 and "champion:" in output
    assert desired(deployments).models[MODEL].lock == first
    assert [row["models"][MODEL] for row in rows(repo)] == [first.onnx, second.onnx, first.onnx]
    assert [row["previous"] for row in rows(repo)] == [None, *(row["digest"] for row in rows(repo)[:2])]
    assert [lock for lock, _ in recorded] == [first, second, first]


def test_an_older_commit_is_a_rollback_and_said(repo: Path, acts: Acts, deployments: Deployments) -> None:
    acts()
    newer = git(repo, "rev-parse", "HEAD")[:12]
    code, output, _ = acts("--commit", "first")
    older = git(repo, "rev-parse", "first")[:12]
    assert code == 0 and f"Commit {older} is older than the published {newer}: this rolls back." in output
    assert desired(deployments).models[MODEL].lock == lock_of(repo, "first")
    assert "older" not in acts()[1]


def test_a_model_without_its_lock_is_withdrawn(repo: Path, acts: Acts, deployments: Deployments) -> None:
    acts()
    (repo / LOCK).unlink()
    save(repo, "no champion")
    code, output, _ = acts()
    assert code == 0 and "withdrawn" in output and "serves 0 models" in output
    assert desired(deployments).models == {}
    assert rows(repo)[-1]["withdrawn"] == [MODEL] and rows(repo)[-1]["models"] == {}


def refused(acts: Acts, deployments: Deployments, code: int) -> str:
    """The words of a deployment that is refused before anything is written."""
    before = deployments.desired()
    found, output, _ = acts()
    assert found == code, output
    assert "Nothing was published" in output
    assert deployments.desired() == before
    return output


@pytest.mark.parametrize(
    "edit",
    [
        ("family: logistic_regression", "family: ridge"),
        ("# Written", "# Rewritten"),
        ("bundle: sha256:", "bundle: md5:"),
    ],
)
def test_a_lock_edited_by_hand_is_refused(
    repo: Path, acts: Acts, deployments: Deployments, edit: tuple[str, str]
) -> None:
    acts("--commit", "first")
    change(repo, LOCK, edited((repo / LOCK).read_text(), edit))
    save(repo, "by hand")
    output = refused(acts, deployments, 1)
    assert LOCK in output and "acts promote" in output
    assert len(rows(repo)) == 1


@pytest.mark.parametrize("outcome", ["unknown", "failed", "not promotable", "of another model"])
def test_a_lock_needs_a_passed_verdict(repo: Path, acts: Acts, deployments: Deployments, outcome: str) -> None:
    from dagster_project.domain.base import canonical_json
    from dagster_project.domain.promotion import lock_text
    from dagster_project.domain.verdict import Subject, Verdict

    store, lock = deployments.store, lock_of(repo)
    verdict = Verdict.from_json(store.get(lock.verdict))
    changed = verdict.model_copy(
        update={
            "unknown": {"base": "x"},
            "failed": {"outcome": "failed", "reasons": ("roc_auc is too low",)},
            "not promotable": {"promotable": False, "reasons": ("only a preview",)},
            "of another model": {"subject": Subject(kind="model", name="early")},
        }[outcome]
    )
    if outcome != "unknown":
        store.put(canonical_json(changed.model_dump(mode="json")))
    change(repo, LOCK, lock_text(lock.model_copy(update={"verdict": changed.content_digest()})))
    save(repo, "another verdict")
    words = {"unknown": "No verdict", "failed": "roc_auc is too low", "not promotable": "only a preview"}
    assert words.get(outcome, "The verdict speaks of early") in refused(acts, deployments, 1)


@pytest.mark.parametrize("lost", ["manifest", "onnx", "parity.json", "spoiled onnx", "spoiled verdict"])
def test_what_the_store_lost_is_machinery(repo: Path, acts: Acts, deployments: Deployments, lost: str) -> None:
    lock, store = lock_of(repo), deployments.store
    files = load_manifest(store, lock.bundle).files
    digest = {"manifest": lock.bundle, "parity.json": files["parity.json"].digest, "spoiled verdict": lock.verdict}
    place = Path(store.where(digest.get(lost, lock.onnx)))
    place.write_bytes(b"spoiled") if "spoiled" in lost else place.unlink()
    output = refused(acts, deployments, 3)
    assert ("its bytes are not" if "spoiled" in lost else "not in the store") in output and "ACTS_STORE" in output


def test_another_store_has_neither_verdict_nor_bundle(
    acts: Acts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACTS_STORE", str(tmp_path / "empty"))
    code, output, _ = acts()
    assert code == 3 and "No verdict" in output and str(tmp_path / "empty") in output


def test_all_problems_of_all_models_are_said_at_once(repo: Path, acts: Acts, deployments: Deployments) -> None:
    change(repo, "models/early/spec.yaml", edited(GOOD, ("name: tardy", "name: early")))
    lock = edited((repo / LOCK).read_text(), ("model: tardy", "model: early"))
    change(repo, "models/early/champion.lock.yaml", lock)
    change(repo, LOCK, edited((repo / LOCK).read_text(), ("# Written", "# Rewritten")))
    save(repo, "two by hand")
    output = refused(acts, deployments, 1)
    assert "The verdict speaks of tardy, not of early." in output and "it was edited by hand" in output
    assert "2 problems" in output
    answer = json.loads(acts("--json")[1])
    assert (answer["outcome"], answer["exit_code"]) == ("refused", 1)
    assert [(o["model"], o["kind"]) for o in answer["obstacles"]] == [("early", "refused"), (MODEL, "refused")]


def test_a_contract_that_lost_what_the_champion_takes_is_a_wrong_file(
    repo: Path, acts: Acts, deployments: Deployments
) -> None:
    acts()
    trips = (repo / TRIPS).read_text()
    gone = "      - name: carrier\n        logicalType: string\n"
    change(repo, TRIPS, edited(trips, (gone, "      - name: firm\n        logicalType: string\n"), ("1.2.0", "2.0.0")))
    change(repo, SQL, edited(COARSE_SQL, ("'A' AS carrier", "'A' AS firm")))
    change(repo, SPEC, edited(GOOD, ("miles, carrier", "miles, firm"), (">=1.0,<2", ">=2.0,<3")))
    save(repo, "carrier is called firm")
    output = refused(acts, deployments, 2)
    assert f"{TRIPS}: there is no column carrier any more, which the champion of tardy takes." in output


def test_a_spec_with_another_task_is_a_wrong_file(repo: Path, acts: Acts, deployments: Deployments) -> None:
    spec = edited(
        GOOD,
        ("task: binary", "task: regression"),
        ("target: late", "target: delay"),
        ("family: logistic_regression", "family: ridge"),
        ("      C: {log", "      alpha: {log"),
        ("metric: roc_auc", "metric: rmse"),
        ("metric: roc_auc, minimum: 0.6", "metric: rmse, maximum: 60"),
        ("{kind: champion, metric: roc_auc}", "{kind: champion, metric: rmse}"),
    )
    change(repo, SPEC, spec)
    save(repo, "another task")
    output = refused(acts, deployments, 2)
    assert f"{SPEC}: the task is regression, but the champion of tardy was built for binary." in output


def test_a_rejected_champion_is_refused_until_the_lock_changes(
    repo: Path, acts: Acts, deployments: Deployments
) -> None:
    acts()
    deployments.reject(rejection(desired(deployments), MODEL))
    code, output, _ = acts()
    assert code == 1
    assert "server a rejected" in output and "5 of 100 runs broke" in output and "p99_seconds 0.3123" in output
    assert "until the lock changes" in output
    assert acts("--commit", "first")[0] == 0, "the champion before was not rejected"
    assert acts("--commit", "second")[0] == 1, "back again: the lock is the same"
    assert desired(deployments).models[MODEL].lock == lock_of(repo, "first")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--commit", "nowhere"], "there is no commit 'nowhere'"),
        (["--commit", "--all"], "is no revision"),
        (["--wait", "-1"], "--wait"),
    ],
)
def test_a_wrong_command_ends_with_2(acts: Acts, arguments: list[str], words: str) -> None:
    code, _, error = acts(*arguments)
    assert code == 2 and words in error


def test_wrong_files_of_the_commit_end_with_2_and_all_of_them(repo: Path, acts: Acts, deployments: Deployments) -> None:
    change(repo, SPEC, edited(GOOD, ("task: binary", "task: binari"), ("trials: 1", "trails: 1")))
    save(repo, "typos")
    code, _, error = acts()
    assert code == 2 and "binari" in error and "trails" in error
    assert deployments.desired() is None


def test_what_is_no_repository_of_models_withdraws_nothing(acts: Acts, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    code, _, error = acts(where=folder)
    assert code == 2 and "not a git repository" in error
    git(folder, "init", "-q", "-b", "main")
    (folder / "README.md").write_text("hello")
    save(folder, "hello")
    code, _, error = acts(where=folder)
    assert code == 2 and "nothing to deploy" in error
    assert acts(where=tmp_path / "nowhere")[0] == 2


def test_a_broken_reference_says_what_to_do(repo: Path, acts: Acts, deployments: Deployments) -> None:
    acts()
    (repo / ".acts" / "store" / "refs" / "deployments" / "desired.json").write_text("{}")
    code, _, error = acts()
    assert code == 3 and "Remove it, then deploy again" in error


def test_a_dry_run_shows_both_differences_and_writes_nothing(repo: Path, acts: Acts, deployments: Deployments) -> None:
    code, output, _ = acts("--dry-run")
    assert code == 0 and "Nothing is published yet." in output
    assert deployments.desired() is None
    acts("--commit", "first")
    first, second = lock_of(repo, "first").onnx, lock_of(repo).onnx
    published = deployments.desired()
    assert published is not None
    deployments.report(report("a", published[0], {MODEL: serving(first)}))
    canary = serving(first, "canary", 120, live=second)
    deployments.report(report("b", None, {MODEL: canary, "old": serving(first)}))
    deployments.report(report("c", None, {}, age=100))
    before = contents(repo / ".acts")
    code, output, _ = acts("--dry-run")
    assert code == 0 and contents(repo / ".acts") == before
    lines = [" ".join(line.split()) for line in output.splitlines()]
    short, other = first[:19], second[:19]
    assert f"{MODEL} {short} {other} champion: logistic_regression → logistic_regression" in lines
    assert f"a {MODEL} {short} {short} live" in lines
    assert f"b {MODEL} {short} {other} in canary, 120 answers so far; has not seen what is published" in lines
    assert f"b old - {short} withdrawn, but still live; has not seen what is published" in lines
    assert any("taken for dead: 1 server" in line and "c (100 s ago)" in line for line in lines)
    answer = json.loads(acts("--dry-run", "--json")[1])
    assert answer["outcome"] == "compared" and answer["live"]["servers"][0]["server"] == "a"
    assert answer["changes"][0]["published"] == first and answer["changes"][0]["commit"] == second
    assert contents(repo / ".acts") == before


def test_a_dry_run_of_a_refused_commit_says_so(repo: Path, acts: Acts, deployments: Deployments) -> None:
    change(repo, LOCK, edited((repo / LOCK).read_text(), ("# Written", "# Rewritten")))
    save(repo, "by hand")
    code, output, _ = acts("--dry-run")
    assert code == 1 and "it was edited by hand" in output and deployments.desired() is None


def test_it_waits_until_every_server_serves_it(acts: Acts, deployments: Deployments, repo: Path) -> None:
    def slow(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
        return all_live(state, turn) if turn > 14 else {MODEL: ServedModel()}

    with server(deployments, "a"), server(deployments, "b", slow):
        started = time.monotonic()
        code, output, _ = acts(wait=20)
    assert code == 0, output
    assert 0.7 < time.monotonic() - started < 10
    onnx = lock_of(repo).onnx[:19]
    assert f"server a (127.0.0.1:8080): {MODEL} {onnx}: live" in output
    assert f"server b (127.0.0.1:8080): {MODEL} {onnx}: not there yet" in output
    assert "Each of 2 servers serves it" in output


def test_a_canary_is_there_and_shown_with_its_answers(acts: Acts, deployments: Deployments, repo: Path) -> None:
    first = lock_of(repo, "first").onnx

    def canary(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
        return {MODEL: serving(state.models[MODEL].onnx, "canary", 7, live=first)} if state else {}

    with server(deployments, "a", canary):
        code, output, _ = acts(wait=10)
    assert code == 0 and f"in canary, 7 answers so far ({first[:19]} is live)" in output
    assert "rollouts go on by themselves" in output


def test_late_servers_are_named_with_their_error(acts: Acts, deployments: Deployments) -> None:
    def unable(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
        return {MODEL: ServedModel(error="the digest of model.onnx is wrong")}

    with server(deployments, "good"), server(deployments, "bad", unable):
        code, output, _ = acts(wait=1)
    assert code == 3
    assert "1 of 2 servers does not serve what is published" in output
    named = output.split("does not serve what is published")[1]
    assert "server bad" in named and "the digest of model.onnx is wrong" in named and "server good" not in named
    assert output.count("not there: the digest of model.onnx is wrong") == 2, "once while waiting, once at the end"


def test_a_withdrawn_model_that_is_still_live_is_waited_for(acts: Acts, deployments: Deployments, repo: Path) -> None:
    acts()
    onnx = lock_of(repo).onnx
    (repo / LOCK).unlink()
    save(repo, "no champion")
    with server(deployments, "a", lambda state, turn: {MODEL: serving(onnx)}):
        code, output, _ = acts(wait=0.7)
    assert code == 3 and "withdrawn, but still live" in output
    with server(deployments, "a"):
        assert acts(wait=10)[0] == 0


def test_a_server_that_rejects_meanwhile_ends_the_wait(acts: Acts, deployments: Deployments, repo: Path) -> None:
    acts("--commit", "first")
    first = lock_of(repo, "first").onnx

    def rejects(state: DesiredState | None, turn: int) -> dict[str, ServedModel]:
        if state and state.models[MODEL].onnx != first and turn == 12:
            deployments.reject(rejection(state, MODEL))
        return {MODEL: serving(first)}

    with server(deployments, "a", rejects):
        code, output, _ = acts(wait=20)
    assert code == 1, output
    assert "server a rejected" in output and "git revert" in output


def test_dead_servers_are_ignored_and_said(acts: Acts, deployments: Deployments, repo: Path) -> None:
    for number in range(7):
        deployments.report(report(f"dead{number}", None, {}, age=100 + number))
    code, output, _ = acts(wait=5)
    assert code == 0 and "No server is running" in output
    assert "7 servers without a fresh report: dead0 (100 s ago)" in output and "and 2 more" in output
    (repo / ".acts" / "serving" / "servers" / "half.json").write_text("{")
    code, _, error = acts(wait=1)
    assert code == 0 and error.count("half.json") == 1, "said once, not at every look"


def test_a_server_that_dies_meanwhile_is_no_success(acts: Acts, deployments: Deployments) -> None:
    deployments.report(report("dying", None, {MODEL: ServedModel()}, age=14))
    with server(deployments, "good"):
        code, output, _ = acts(wait=2.5)
    assert code == 3 and "server dying" in output and "has stopped reporting" in output


def test_another_deployment_meanwhile_ends_the_wait(acts: Acts, deployments: Deployments, repo: Path) -> None:
    acts("--commit", "first")
    other = desired(deployments)
    timer = threading.Timer(0.8, deployments.publish, args=(other,))
    deployments.report(report("slow", None, {}))
    timer.start()
    code, output, _ = acts(wait=10)
    timer.join()
    assert code == 3 and f"Commit {str(other.commit)[:12]} was deployed meanwhile" in output


def test_machines_get_one_json_document(acts: Acts, deployments: Deployments, repo: Path) -> None:
    with server(deployments, "a"):
        code, output, _ = acts("--json", wait=10)
    answer = json.loads(output)
    assert code == answer["exit_code"] == 0 and answer["outcome"] == "served" and answer["written"] is True
    assert answer["watch"]["fleet"]["servers"][0]["models"][0]["place"] == "live"
    assert answer["digest"] == desired(deployments).content_digest()


def test_what_dagster_was_not_told_is_broken_but_published(
    acts: Acts, deployments: Deployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagster_project.domain.errors import MachineryError

    def fails(*_: object, **__: object) -> None:
        raise MachineryError("recording ended with exit code 3.")

    monkeypatch.setattr("ci.deploying.publishing.record", fails)
    code, output, _ = acts()
    assert code == 3 and "Published, but Dagster was not told: recording ended" in output
    assert deployments.desired() is not None


def test_two_deployments_at_once_leave_one_of_the_states_whole(
    repo: Path, deployments: Deployments, recorded: list[Any]
) -> None:
    from ci.deploying.console import Console
    from ci.deploying.run import deploy

    revisions = ["first", "second"] * 3
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda r=r: done.append(deploy(repo, r, 0, Console(quiet=True)).exit_code))
        for r in revisions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [0] * len(revisions)
    state = desired(deployments)
    tag = "first" if state.commit == git(repo, "rev-parse", "first") else "second"
    assert state.commit == git(repo, "rev-parse", tag) and state.models[MODEL].lock == lock_of(repo, tag)


@pytest.mark.slow
def test_dagster_shows_the_deployment(repo: Path) -> None:
    """In processes of their own: the lock becomes the model's ``deployment`` asset."""
    import dagster as dg

    from dagster_project.factories.instance import open_instance
    from tests.ci.test_pull_requests import acts as process

    done = process(repo, "deploy", "--wait", "1")
    assert done.returncode == 0, done.stderr
    with open_instance(Workspace(repo=repo)) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey([MODEL, "deployment"]))
    assert event is not None and event.asset_materialization is not None
    assert event.asset_materialization.metadata["onnx"].value == lock_of(repo).onnx


@pytest.mark.slow
def test_a_real_server_follows_the_merge_and_the_revert(repo: Path, recorded: object, tmp_path: Path) -> None:
    import numpy as np
    import tritonclient.http as triton

    from dagster_project.inference.predictor import OnnxPredictor
    from dagster_project.storage.bundles import load_model
    from tests.serving.running import running

    store = ArtifactStore(Workspace(repo=repo).store)
    rows = {"miles": np.array([[3.0], [40.0]], np.float32), "carrier": np.array([["A"], ["A"]], object)}
    rows["seats"] = np.array([[3.0], [np.nan]], np.float32)

    def answered(host: str) -> tuple[str, np.ndarray]:
        inputs = []
        for name, column in rows.items():
            inputs.append(triton.InferInput(name, [2, 1], "BYTES" if column.dtype == object else "FP32"))
            inputs[-1].set_data_from_numpy(column)
        with triton.InferenceServerClient(host) as client:
            answer = client.infer(MODEL, inputs)
        return answer.get_response()["model_version"], answer.as_numpy("probabilities")

    def expected(lock: ChampionLock) -> tuple[str, np.ndarray]:
        manifest = load_manifest(store, lock.bundle)
        scores = OnnxPredictor(load_model(store, manifest), manifest).predict(rows).scores
        assert scores is not None
        return lock.onnx.removeprefix("sha256:")[:12], scores

    with running(repo) as server:
        for revision in ("first", "second", None):
            if revision is None:
                git(repo, "revert", "--no-edit", "-m", "1", "HEAD") if _merged(repo) else git(repo, "checkout", "first")
            code = main(["deploy", "--repo", str(repo), "--wait", "30", "--commit", revision or "HEAD"])
            assert code == 0
            version, scores = answered(server.host)
            lock = lock_of(repo, revision or "HEAD")
            assert version == expected(lock)[0]
            np.testing.assert_allclose(scores, expected(lock)[1], atol=1e-6)
        assert lock_of(repo, "HEAD").onnx == lock_of(repo, "first").onnx


def _merged(repo: Path) -> bool:
    """Whether HEAD is a merge, and no fast-forward."""
    return len(git(repo, "rev-list", "--parents", "-n", "1", "HEAD").split()) > 2
