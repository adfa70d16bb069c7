"""What a forger tries, refused: checks, bundles, provenance, swapped bytes, locks, stale verdicts, loosened gates."""

import json
from pathlib import Path
from typing import Any

import pytest

from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.deployment import DESIRED
from tests.ci.github.scene import (
    BUILT,
    GOOD,
    LOCK,
    NAME,
    PULL_REQUEST,
    SPEC,
    TRAIN,
    WEAK,
    YES,
    Handed,
    Kept,
    Pull,
    Scene,
    repacked,
)
from tests.ci.workbench import COARSE_SQL, SQL
from tests.github.exchange import GitHubError
from tests.trees import TRIPS, edited

STRICT = edited(GOOD, ("minimum: 0.6}", "minimum: 0.999}"))


def preview(scene: Scene, pull: Pull, why: str) -> None:
    """The head has a preview verdict, the holdout was not asked, and nothing is promoted."""
    check = scene.check(pull.head)
    assert check["conclusion"] == "action_required" and check["output"]["title"].startswith("Preview: ")
    assert why in scene.comment(pull.number)
    assert "verdict:preview" in scene.labels(pull.number)
    assert scene.head(pull.number) == pull.head, "no lock was committed"
    assert not scene.rows("judgements") and not scene.rows("provenance")


def claims(build: dict[str, bytes], **more: Any) -> dict[str, bytes]:
    """The build with other words in its bundle's manifest."""
    manifest = json.loads(build["bundle/bundle.json"]) | more
    return build | {"bundle/bundle.json": json.dumps(manifest).encode()}


# A job named like the gate


def forged_check(scene: Scene, head: str, external_id: str = "") -> None:
    token = scene.double.actions_token(NAME, {"checks": "write"})
    body = {"name": "Three Acts", "head_sha": head, "conclusion": "success", "external_id": external_id}
    scene.ask("check-runs", body, token)


def test_a_job_named_like_the_gate_deploys_nothing(scene: Scene) -> None:
    pull = scene.forked("mine", {SPEC: GOOD})
    forged_check(scene, pull.head, "sha256:" + "1" * 64)
    code, said = scene.deployed(scene.double.merge(NAME, pull.number))
    assert code == 1 and "was merged" in said and "without a verdict" in said
    assert not scene.ask("deployments", token=scene.double.user("octocat"))


@pytest.mark.slow
def test_a_forged_success_does_not_hide_our_failure(scene: Scene) -> None:
    pull = scene.pushed("strict", {SPEC: STRICT})
    scene.publish(scene.judged(scene.trained(pull, STRICT)))
    forged_check(scene, pull.head, scene.check(pull.head)["external_id"])
    code, said = scene.deployed(scene.double.merge(NAME, pull.number))
    assert code == 1 and "is 'failure'" in said


def test_a_job_named_like_the_gate_satisfies_no_rule(scene: Scene) -> None:
    owner = scene.double.user("octocat")
    assert scene.acts("protect", "--app", str(scene.app), "--yes", token=owner)[0] == 0
    pull = scene.pushed("mine", {SPEC: GOOD}, by="maria")
    scene.ask(f"pulls/{pull.number}/reviews", {"event": "APPROVE"}, owner)
    forged_check(scene, pull.head)
    with pytest.raises(GitHubError, match="Three Acts"):
        scene.double.merge(NAME, pull.number)


# Forged bundles and provenance


def test_claims_of_metrics_are_measured_and_not_believed(scene: Scene) -> None:
    pull, builds = scene.pushed("strict", {SPEC: STRICT}), scene.studio.build(STRICT)
    builds[BUILT] = claims(builds[BUILT], claims={"roc_auc": 1.0})
    scene.publish(scene.judged(scene.launched(pull, builds | YES)))
    assert scene.check(pull.head)["conclusion"] == "failure"
    assert "roc_auc" in scene.check(pull.head)["output"]["title"] and scene.head(pull.number) == pull.head


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda build: claims(build, provenance={"launcher": "train"}), "bundle.json: provenance"),
        (lambda build: build | {"provenance.json": b"{}"}, "holds what no build has"),
    ],
    ids=["in the manifest", "as a file"],
)
def test_a_bundle_does_not_vouch_for_itself(scene: Scene, harm: Any, said: str) -> None:
    pull, builds = scene.pushed("better", {SPEC: GOOD}), scene.studio.build()
    builds[BUILT] = harm(builds[BUILT])
    scene.publish(scene.judged(scene.launched(pull, builds | YES)))
    assert scene.check(pull.head)["conclusion"] in ("failure", "action_required")
    assert said in scene.comment(pull.number) and scene.head(pull.number) == pull.head
    assert not scene.rows("judgements") and not scene.rows("provenance")


def test_a_fork_s_build_is_a_preview_until_a_maintainer_says_so(scene: Scene) -> None:
    pull = scene.forked("mine", {SPEC: GOOD})
    scene.publish(scene.judged(scene.built(pull)))
    preview(scene, pull, "It comes from a fork")
    scene.labelled(pull.number, "maria")
    scene.publish(scene.judged(scene.trained(pull)))
    assert scene.check(pull.head)["conclusion"] == "success" and len(scene.rows("judgements")) == 1
    assert "verdict:preview" not in scene.labels(pull.number)


def test_a_fork_s_run_that_calls_itself_the_launcher_is_no_launcher(scene: Scene, tmp_path: Path) -> None:
    pull = scene.forked("mine", {SPEC: GOOD, TRAIN: "name: train\n"})
    title = f"train #{pull.number} at {pull.head}"
    run = scene.ran(pull, artifacts=scene.studio.build(), workflow=TRAIN, title=title)
    honest = scene.judged(scene.built(pull))
    code, said = scene.acts("evaluate", "--run-id", str(run), "--out", "x", "--report", "y", repo=scene.desk())
    assert code == 1 and "nothing is taken from it" in said
    forged = repacked(honest, tmp_path / "forged", lambda box: box.model_copy(update={"run": run, "launcher": "train"}))
    code, said = scene.published(forged)
    assert code == 1 and "nothing is taken from it" in said and not scene.comments(pull.number)


def test_a_run_s_name_says_nothing_of_a_run_of_pull_request(scene: Scene) -> None:
    pull = scene.forked("mine", {SPEC: GOOD})
    run = scene.ran(pull, artifacts=scene.studio.build(), title=f"train #{pull.number} at {pull.head}")
    scene.publish(scene.judged(run))
    preview(scene, pull, "It comes from a fork")


@pytest.mark.parametrize("path", [PULL_REQUEST, "polars.py"])
def test_a_branch_that_changes_what_a_build_runs_gets_a_preview(scene: Scene, path: str) -> None:
    pull = scene.pushed("mine", {SPEC: GOOD, path: "SEED = 2\n"})
    scene.publish(scene.judged(scene.built(pull)))
    preview(scene, pull, "It changes more than contracts, specs and texts")


def test_a_run_of_pull_request_vouches_for_nothing(scene: Scene) -> None:
    """GitHub doesn't say onto which base it ran, and the workflow's file comes from there."""
    pull = scene.pushed("better", {SPEC: GOOD})
    scene.publish(scene.judged(scene.built(pull)))
    assert scene.check(pull.head)["conclusion"] == "action_required" and scene.head(pull.number) == pull.head
    scene.publish(scene.judged(scene.trained(pull)))
    assert scene.check(pull.head)["conclusion"] == "success", "the launcher's run does"


def test_a_run_of_the_launcher_that_admitted_nothing_stands_for_nothing(scene: Scene) -> None:
    pull = scene.forked("mine", {SPEC: GOOD})
    run = scene.launched(pull, scene.studio.build())
    assert scene.evaluated(run) is None
    scene.announce(run)
    assert not scene.comments(pull.number)


def test_an_outbox_of_another_run_is_refused(scene: Scene, kept: Kept) -> None:
    _, honest = scene.pushed_again(kept)
    other = scene.built(scene.pushed("other", {"README.md": "else\n"}))
    arguments = ("--folder", str(honest.folder), "--digest", honest.digest, "--run-id", str(other))
    code, said = scene.acts("publish", *arguments, repo=scene.desk())
    assert code == 1 and "nothing is taken from it" in said


def test_a_late_preview_says_nothing_over_a_verdict(scene: Scene) -> None:
    pull = scene.pushed("better", {SPEC: GOOD})
    late = scene.judged(scene.built(pull))
    scene.publish(scene.judged(scene.trained(pull)))
    told = scene.comment(pull.number)
    scene.publish(late)
    assert scene.comment(pull.number) == told and scene.check(pull.head)["conclusion"] == "success"


def test_words_beside_a_spec_cost_no_approval(scene: Scene) -> None:
    pull = scene.pushed("better", {SPEC: GOOD, "README.md": "# Rides, better\n", "docs/rides.md": "More\n"})
    scene.publish(scene.judged(scene.trained(pull)))
    assert scene.check(pull.head)["conclusion"] == "success"


def test_an_outbox_does_not_vouch_for_a_preview(scene: Scene, tmp_path: Path) -> None:
    """Even where the job that judges was taken over: who stands for a build is looked up again."""
    pull = scene.forked("mine", {SPEC: GOOD})
    honest = scene.judged(scene.built(pull))
    forged = repacked(honest, tmp_path / "forged", lambda box: box.model_copy(update={"preview": False}))
    scene.publish(forged)
    preview(scene, pull, "It comes from a fork")


@pytest.mark.parametrize("what", ["pull", "repository", "head", "base"])
def test_an_outbox_that_speaks_of_something_else_is_refused(
    scene: Scene, kept: Kept, tmp_path: Path, what: str
) -> None:
    (pull, honest), other = scene.pushed_again(kept), scene.pushed("other", {"README.md": "else\n"})
    value = {"pull": other.number, "repository": "acme/else", "head": other.head, "base": pull.head}[what]
    code, said = scene.published(
        repacked(honest, tmp_path / "forged", lambda box: box.model_copy(update={what: value}))
    )
    assert code == 1 and ("nothing is taken" in said or "not of acme/rides" in said or "not based on" in said), said
    assert not scene.comments(pull.number) and not scene.comments(other.number)


def test_a_branch_with_rules_of_its_own_judges_nothing(scene: Scene) -> None:
    """A check belongs to a commit: a pull request onto another branch must not earn it for one onto main."""
    scene.double.push(NAME, "easy", {"models/floor.yaml": "schema_version: 1\n", PULL_REQUEST: "name: any\n"})
    head = scene.double.push(NAME, "mine", {SPEC: GOOD}, start="easy")
    number = scene.double.open_pull(NAME, "mine", base="easy")
    run = scene.ran(number, artifacts=scene.studio.build())
    for step in (("announce",), ("evaluate", "--out", "x", "--report", "y")):
        code, said = scene.acts(*step, "--run-id", str(run), repo=scene.desk())
        assert code == 1 and "easy" in said and "main" in said
    assert not scene.ask(f"commits/{head}/check-runs")["check_runs"]


# Swapped bytes


def onnx_of(handed: Handed) -> Path:
    """The largest model in the outbox."""
    verdict = json.loads((handed.folder / handed.outbox.verdicts[0].verdict.removeprefix("sha256:")).read_bytes())
    return handed.folder / str(verdict["challenger_onnx"]).removeprefix("sha256:")


def test_bytes_that_changed_on_the_way_are_not_published(scene: Scene, kept: Kept) -> None:
    pull, handed = scene.pushed_again(kept)
    onnx = onnx_of(handed)
    onnx.write_bytes(onnx.read_bytes() + b" ")
    code, said = scene.published(handed)
    assert code == 1 and "its bytes are not" in said
    assert not scene.comments(pull.number) and scene.head(pull.number) == pull.head


def test_another_document_is_not_the_one_that_was_evaluated(scene: Scene, kept: Kept, tmp_path: Path) -> None:
    pull, handed = scene.pushed_again(kept)
    forged = repacked(handed, tmp_path / "forged", lambda box: box.model_copy(update={"preview": True}))
    assert forged.digest != handed.digest
    code, said = scene.published(Handed(forged.folder, handed.digest, handed.run))
    assert code == 1 and "not the document that was evaluated" in said and not scene.comments(pull.number)


@pytest.mark.parametrize("digest", ["", "sha256:" + "0" * 64, "../x"])
def test_a_digest_that_is_none_takes_nothing(scene: Scene, tmp_path: Path, digest: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "outbox.json").write_text("{}")
    arguments = ("--folder", str(tmp_path / "out"), "--digest", digest, "--run-id", "1")
    code, said = scene.acts("publish", *arguments, repo=scene.desk())
    assert code == 1 and "Nothing is taken" in said


def test_bytes_that_changed_in_the_store_are_not_deployed(scene: Scene) -> None:
    pull = scene.passed()
    merge = scene.double.merge(NAME, pull.number)
    onnx = next(line.split()[1] for line in scene.file(merge, LOCK).splitlines() if line.startswith("onnx:"))
    blob = Path(scene.store.where(onnx))
    blob.write_bytes(b"swapped")
    code, said = scene.deployed(merge)
    assert code == 3 and "its bytes are not" in said
    assert scene.store.get_ref(DESIRED) is None


# Locks


def test_a_lock_edited_by_hand_is_refused(scene: Scene) -> None:
    pull = scene.passed()
    text = scene.file(pull.head, LOCK)
    onnx = next(line for line in text.splitlines() if line.startswith("onnx:"))
    edits = {LOCK: text.replace(onnx, f"onnx: {digest_of_bytes(b'mine')}")}
    forged = scene.pushed("better", edits, by="maria")
    run = scene.ran(forged, conclusion="success")
    scene.announce(run)
    assert scene.check(forged.head)["conclusion"] == "failure" and "edited by hand" in scene.comment(pull.number)
    scene.publish(scene.judged(run))
    assert scene.check(forged.head)["conclusion"] == "failure" and "edited by hand" in scene.comment(pull.number)
    code, said = scene.deployed(scene.double.merge(NAME, forged.number))
    assert code == 1 and "is 'failure'" in said


def test_a_lock_without_a_verdict_is_refused(scene: Scene) -> None:
    keys = ("onnx", "bundle", "snapshot", "spec", "code", "environment", "build_key")
    text = "\n".join(f"{key}: sha256:{'1' * 64}" for key in keys)
    lock = f"{text}\nverdict: sha256:{'2' * 64}\nmodel: tardy\ncommit: null\nfamily: a\nparameters: {{}}\n"
    pull = scene.pushed("mine", {LOCK: f"{lock}metrics: {{}}\nreplaces: null\n"})
    scene.announce(scene.ran(pull))
    assert scene.check(pull.head)["conclusion"] == "failure" and "nothing allows this lock" in scene.comment(
        pull.number
    )


# Stale verdicts


def test_a_verdict_on_an_older_commit_deploys_nothing(scene: Scene) -> None:
    pull = scene.passed()
    newer = scene.pushed("better", {SPEC: edited(GOOD, ("seed: 7", "seed: 9"))})
    merge = scene.double.merge(NAME, newer.number)
    code, said = scene.deployed(merge)
    assert code == 1 and f"{newer.head[:12]} without a verdict" in said and pull.head[:12] not in said


def test_a_verdict_on_a_head_that_moved_promotes_nothing_and_is_not_told(scene: Scene, kept: Kept) -> None:
    pull, handed = scene.pushed_again(kept)
    newer = scene.pushed("better", {"README.md": "newer\n"})
    scene.announce(scene.began(newer).id)
    told = scene.comment(pull.number)
    assert "nothing promoted" in scene.publish(handed)
    assert scene.head(pull.number) == newer.head and scene.comment(pull.number) == told
    assert scene.check(pull.head)["conclusion"] == "success", "of the commit that was judged"
    assert scene.check(newer.head)["conclusion"] is None
    assert scene.labels(pull.number) == set()


@pytest.mark.slow
def test_a_verdict_against_a_former_champion_promotes_nothing(scene: Scene) -> None:
    late = scene.pushed("late", {SPEC: GOOD})
    handed = scene.judged(scene.trained(late))
    other = scene.pushed("other", {SPEC: GOOD, "README.md": "else\n"})
    scene.publish(scene.judged(scene.trained(other)))
    lock = scene.file(scene.head(other.number), LOCK)
    first = scene.passed("first", edited(WEAK, ("seed: 7", "seed: 8")))
    scene.double.merge(NAME, first.number)
    scene.publish(handed)
    assert scene.check(late.head)["conclusion"] == "action_required" and scene.head(late.number) == late.head
    assert "main has other rules by now: merge it into late" in scene.comment(late.number)
    # whoever merges main and brings the lock along by hand
    scene.double.push(NAME, "again", {SPEC: GOOD, LOCK: lock})
    again = Pull(scene.double.open_pull(NAME, "again"), scene.double.head(NAME, "again"))
    scene.announce(scene.ran(again))
    assert scene.check(again.head)["conclusion"] == "failure" and "judge it again" in scene.comment(again.number)


def test_a_merge_that_changed_the_model_after_the_verdict_is_not_deployed(scene: Scene) -> None:
    pull = scene.passed()
    scene.double.push(NAME, "main", {"models/tardy/notes.yaml": "a: 1\n"})
    merge = scene.double.merge(NAME, pull.number)
    code, said = scene.deployed(merge)
    assert code == 1 and "holds other declarations" in said and "models/tardy/notes.yaml" in said


# Loosening, and the holdout


LOOSER = {
    "gate": ("  - {kind: champion, metric: roc_auc}\n", ""),
    "bound": ("minimum: 0.6}", "minimum: 0.55}"),
    "split": ("    size: P120D", "    size: P60D"),
    "label": ("target: late", "target: grade"),
}


@pytest.mark.parametrize("what", ["gate", *(pytest.param(what, marks=pytest.mark.slow) for what in ("bound", "split"))])
def test_a_spec_that_loosens_is_judged_by_main_s_rules_and_promotes_nothing(scene: Scene, what: str) -> None:
    spec = edited(GOOD, LOOSER[what])
    scene.double.push(
        NAME, "main", {SPEC: edited(GOOD, ("include: [miles, carrier, seats]", "include: [carrier, seats]"))}
    )
    pull = scene.pushed("looser", {SPEC: spec})
    scene.publish(scene.judged(scene.trained(pull, spec)))
    assert "gates:loosened" in scene.labels(pull.number) and scene.head(pull.number) == pull.head
    assert "challenger:better" not in scene.labels(pull.number)
    assert "champion on holdout" in scene.comment(pull.number), "main's gate is held"


def test_another_label_is_loosening(scene: Scene) -> None:
    spec = edited(GOOD, ("target: late", "target: grade"), ("task: binary", "task: multiclass")).replace(
        "roc_auc", "accuracy"
    )
    pull = scene.pushed("label", {SPEC: spec})
    scene.announce(scene.began(pull).id)
    assert "gates:loosened" in scene.labels(pull.number)


@pytest.mark.slow
def test_a_lock_that_comes_with_loosened_gates_is_refused(scene: Scene) -> None:
    lock = scene.file(scene.passed().head, LOCK)
    pull = scene.pushed("looser", {SPEC: edited(GOOD, LOOSER["bound"]), LOCK: lock})
    run = scene.trained(pull, edited(GOOD, LOOSER["bound"]))
    scene.announce(run)
    scene.publish(scene.judged(run))
    assert scene.check(pull.head)["conclusion"] == "failure", scene.comment(pull.number)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "ride, started,",
            "ride, CASE WHEN miles > 29 THEN started - INTERVAL 200 DAY ELSE started END AS started,",
            "rows of the holdout stand in the rows that the build could see",
        ),
        (
            "FROM rides\n",
            "FROM rides\nUNION ALL SELECT 'x' || ride, started - INTERVAL 250 DAY, delay > 15, delay, 'good', miles, "
            "'A', CAST(miles / 10 AS INTEGER), CAST(started AS DATE), delay, delay, 1.0, 'L1' FROM rides "
            "WHERE started > TIMESTAMP '2024-12-01'\n",
            "rows that the build could see depend on the holdout",
        ),
    ],
    ids=["moved", "copied"],
)
def test_sql_that_brings_the_holdout_into_train_is_refused(scene: Scene, old: str, new: str, said: str) -> None:
    trips = "data_contracts/trips.yaml"
    files = {trips: TRIPS.replace("version: 1.2.0", "version: 1.3.0"), SQL: edited(COARSE_SQL, (old, new))}
    pull = scene.pushed("leak", {SPEC: GOOD, **files})
    scene.publish(scene.judged(scene.trained(pull, GOOD, **files)))
    assert scene.check(pull.head)["conclusion"] == "failure" and said in scene.comment(pull.number)
    assert not scene.rows("judgements") and scene.head(pull.number) == pull.head
