"""What is never deployed, and in which words."""

import json
from pathlib import Path

import pytest

from dagster_project.storage.bundles import load_manifest
from dagster_project.storage.deployments import Deployments
from tests.ci.deploying.deployed import LOCK, TRIPS, Acts, desired, lock_of, refused, rows
from tests.ci.players import rejection
from tests.ci.workbench import COARSE_SQL, GOOD, MODEL, SPEC, SQL, change, git, save
from tests.trees import edited


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
