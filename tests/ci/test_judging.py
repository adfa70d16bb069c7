"""Judging real bundles on real rows: whose rules judge, what is refused, what the budget allows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ci.judging.errors import HIDDEN
from ci.judging.run import Judged, judge
from ci.main import main
from ci.planning import make_plan
from ci.session import open_session
from dagster_project.domain.base import canonical_json
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import UsageError
from dagster_project.domain.facts import Facts
from dagster_project.domain.verdict import Outcome, Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import fetch_bundle, load_manifest
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore
from tests.ci import workbench
from tests.ci.workbench import (
    COARSE_SQL,
    GOOD,
    MODEL,
    SPEC,
    SQL,
    WEAK,
    change,
    git,
    judged,
    moved,
    quick_build,
    save,
    settled,
)
from tests.trees import edited

TRIPS = "data_contracts/trips.yaml"
LOCK = f"models/{MODEL}/champion.lock.yaml"


@pytest.fixture(scope="module")
def crowned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose main has a weak champion. Tests work in clones of it."""
    return workbench.crowned(tmp_path_factory.mktemp("crowned"))


@pytest.fixture
def repo(crowned: Path, tmp_path: Path) -> Path:
    """The crowned repository, on a branch of its own, with its store, warehouse and ledgers."""
    folder = moved(crowned, tmp_path / "repo")
    git(folder, "switch", "-q", "-c", "change")
    return folder


def challenged(repo: Path, spec: str = GOOD, *, vouched: bool = True) -> Judged:
    """The verdict on a pull request that changes the spec."""
    change(repo, SPEC, spec)
    save(repo, "challenge")
    quick_build(repo, vouched=vouched)
    return judged(repo)


def judgements(repo: Path) -> int:
    return len(Ledger(Workspace(repo=repo).ledger, "judgements").rows())


def failed(verdict: Verdict) -> dict[str, str]:
    """Summaries by name, those of one name together."""
    found: dict[str, str] = {}
    for finding in verdict.findings:
        if finding.outcome is Outcome.FAILED:
            found[finding.name] = f"{found.get(finding.name, '')} {finding.summary}".strip()
    return found


def test_a_better_challenger_may_replace_the_champion(repo: Path) -> None:
    before = (repo / LOCK).read_text()
    verdict = challenged(repo).verdict
    assert verdict.outcome == "passed" and verdict.promotable, verdict.reasons
    assert "interference" not in verdict.facts["timings"], "the rows are the base branch's"
    (gain,) = [c for c in verdict.comparisons if c.rows == "holdout"]
    assert gain.gain > 0 and gain.low > 0 and gain.method == "delong"
    assert not [m for m in verdict.measurements if m.rows == "holdout"], "no detail of the holdout is shown"
    assert verdict.holdout is not None and verdict.holdout.used == 2 and verdict.holdout.counted
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    after = (repo / LOCK).read_text()
    assert after != before and verdict.content_digest() in after and f"replaces: {verdict.champion}" in after
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    assert (repo / LOCK).read_text() == after, "the same verdict gives the same bytes"


def test_worst_errors_and_importances_are_measured_on_the_same_rows(repo: Path) -> None:
    facts = Facts.model_validate(challenged(repo).verdict.facts)
    assert len(facts.errors) == 5 and all({error.said, error.truth} == {"true", "false"} for error in facts.errors)
    assert [error.loss for error in facts.errors] == sorted((error.loss for error in facts.errors), reverse=True)
    assert {part.column for part in facts.errors[0].contributions} == {"miles", "carrier", "seats"}
    assert facts.errors[0].row_id.startswith("r") and facts.importances
    assert set(facts.importances.champion) == {"carrier", "seats"} and facts.importances.champion["seats"] == 1.0
    hidden = "name: miles\n        logicalType: number\n        classification: restricted"
    change(repo, TRIPS, edited((repo / TRIPS).read_text(), ("name: miles\n        logicalType: number", hidden)))
    told = Facts.model_validate(challenged(repo, f"{GOOD}# again\n").verdict.facts)
    assert {part.value for error in told.errors for part in error.contributions if part.column == "miles"} <= {HIDDEN}


def test_the_card_is_promoted_with_the_lock_and_nobody_edits_it(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    challenged(repo)
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    card = repo / f"models/{MODEL}/card.md"
    assert "# Model card: tardy" in card.read_text() and str(card.relative_to(repo)) in capsys.readouterr().out
    save(repo, "promote")
    plan = make_plan(repo, "main", "HEAD")
    assert not plan.refused and not plan.steps, "lock and card alone keep the verdict"
    card.write_text(card.read_text().replace("times in 100", "times in 90"))
    save(repo, "embellish")
    said = [finding for finding in make_plan(repo, "main", "HEAD").findings if finding.name == "model card of tardy"]
    assert [finding.outcome for finding in said] == [Outcome.FAILED]


def test_the_champion_is_not_replaced_by_what_is_no_better(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdict = challenged(repo, edited(WEAK, ("C: {log_uniform: [0.01, 10.0]}", "C: 0.001"))).verdict
    assert verdict.outcome == "failed" and not verdict.promotable
    assert any("champion" in name for name in failed(verdict))
    assert not [c for c in verdict.comparisons if c.rows == "holdout"], "a failed challenger learns no number"
    assert main(["promote", MODEL, "--repo", str(repo)]) == 1
    assert "nothing to promote" in capsys.readouterr().err


def test_the_champion_s_own_bytes_are_no_challenger(repo: Path) -> None:
    verdict = challenged(repo, edited(WEAK, ("Will the ride be late?", "Is the ride going to be late?"))).verdict
    assert verdict.outcome == "passed" and not verdict.promotable
    assert "same bytes" in " ".join(verdict.reasons)


def test_judging_again_costs_nothing(repo: Path) -> None:
    first = challenged(repo).verdict
    spent = judgements(repo)
    again = judged(repo).verdict
    assert judgements(repo) == spent == 2
    assert again.promotable and again.holdout is not None and not again.holdout.counted
    assert again.findings == first.findings


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  - {kind: champion, metric: roc_auc}\n", ""),
        ("minimum: 0.6}", "minimum: 0.55}"),
        ("    size: P120D", "    size: P60D"),
    ],
    ids=["gate removed", "bound lowered", "holdout smaller"],
)
def test_loosening_is_judged_by_the_base_branch_and_promotes_nothing(repo: Path, old: str, new: str) -> None:
    verdict = challenged(repo, edited(GOOD, (old, new))).verdict
    assert verdict.loosened and not verdict.promotable
    assert any("against the champion" in f.name for f in verdict.findings), "the base branch's gates were held"
    if "P60D" in new:
        assert "holdout rows" in failed(verdict), "its build saw rows of the base branch's holdout"


def test_the_floor_of_the_pull_request_does_not_count(repo: Path) -> None:
    change(repo, "models/floor.yaml", "schema_version: 1\nevery:\n  - kind: size\n    maximum_mb: 200\n")
    verdict = challenged(repo).verdict
    assert any("floor.yaml" in what for what in verdict.loosened) and not verdict.promotable
    assert any(f.name == "size" and f.bound == "<= 100 MB" for f in verdict.findings)


def test_nobody_vouches_for_a_preview(repo: Path) -> None:
    verdict = challenged(repo, vouched=False).verdict
    assert verdict.preview and not verdict.promotable and judgements(repo) == 1
    assert verdict.holdout is None


def test_a_bundle_of_another_spec_is_refused(repo: Path, tmp_path: Path) -> None:
    challenged(repo)
    store = ArtifactStore(Workspace(repo=repo).store)
    latest = BuildResult.model_validate(store.get_ref(f"latest/model/{MODEL}"))
    fetch_bundle(store, str(latest.bundle), tmp_path / "bundle")
    change(repo, SPEC, edited(GOOD, ("seed: 7", "seed: 8")))
    verdict = judge(open_session(repo, "main"), MODEL, tmp_path / "bundle").verdict
    assert "bundle of another spec" in failed(verdict)
    with pytest.raises(UsageError, match=r"of another spec\. Run acts build"):
        judged(repo)


def test_a_lock_alone_keeps_its_verdict(repo: Path) -> None:
    challenged(repo)
    save(repo, "better model")
    assert judged(repo).verdict.promotable
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    assert make_plan(repo, "main").steps == ()
    commit = save(repo, "promote")
    assert make_plan(repo, "main").steps == () and make_plan(repo, "main", commit).steps == ()
    spec = (repo / SPEC).read_text()
    change(repo, SPEC, spec + "# a word\n")
    assert make_plan(repo, "main").steps == (), "a comment is no rule"
    change(repo, SPEC, edited(spec, ("minimum: 0.6", "minimum: 0.61")))
    assert [step.action for step in make_plan(repo, "main").steps if step.kind == "model"]


def test_a_verdict_of_other_rules_allows_no_lock_by_itself(repo: Path) -> None:
    """The lock waits while main asks for more: the champion is the same, so only judging again can tell."""
    challenged(repo)
    save(repo, "better model")
    assert judged(repo).verdict.promotable
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    save(repo, "promote")
    git(repo, "switch", "-q", "main")
    floor = (repo / "models/floor.yaml").read_text()
    change(repo, "models/floor.yaml", floor.replace("minimum: 0.55", "minimum: 0.99") + "# stricter\n")
    save(repo, "main asks for more")
    git(repo, "switch", "-q", "change")
    git(repo, "merge", "-q", "main", "-m", "merge main")
    steps = make_plan(repo, "main", git(repo, "rev-parse", "HEAD")).steps
    assert [step.action for step in steps if step.kind == "model"][-1] == "judge"


def test_forged_claims_change_the_digest_and_lose_the_launcher_s_word(repo: Path) -> None:
    challenged(repo)
    store = ArtifactStore(Workspace(repo=repo).store)
    latest = BuildResult.model_validate(store.get_ref(f"latest/model/{MODEL}"))
    forged = load_manifest(store, str(latest.bundle)).model_copy(update={"claims": {"roc_auc": 1.0}})
    digest = store.put(canonical_json(forged.model_dump(mode="json")))
    store.set_ref(f"latest/model/{MODEL}", latest.model_copy(update={"bundle": digest}).model_dump(mode="json"))
    verdict = judged(repo).verdict
    assert verdict.preview and not verdict.promotable
    assert all(m.value < 1.0 for m in verdict.measurements if m.metric == "roc_auc"), "measured, not believed"


def test_a_claim_can_make_a_verdict_fail(repo: Path) -> None:
    challenged(repo)
    store = ArtifactStore(Workspace(repo=repo).store)
    latest = BuildResult.model_validate(store.get_ref(f"latest/model/{MODEL}"))
    manifest = load_manifest(store, str(latest.bundle))
    honest = manifest.model_copy(update={"parity": manifest.parity.model_copy(update={"maximum_difference": 0.5})})
    digest = store.put(canonical_json(honest.model_dump(mode="json")))
    store.set_ref(f"latest/model/{MODEL}", latest.model_copy(update={"bundle": digest}).model_dump(mode="json"))
    assert "parity" in failed(judged(repo).verdict)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("FROM rides\n", "FROM rides\nWHERE miles > 2\n", "rows are gone"),
        ("delay > 15 AS late", "miles > 15 AS late", "labels of the holdout's rows changed"),
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
            "rows that the build could see depend on the holdout: without it",
        ),
    ],
    ids=["rows dropped", "labels changed", "time moved", "rows copied"],
)
def test_sql_that_tampers_with_the_holdout_is_refused(repo: Path, old: str, new: str, said: str) -> None:
    change(repo, TRIPS, (repo / TRIPS).read_text().replace("version: 1.2.0", "version: 1.3.0"))
    change(repo, SQL, edited(COARSE_SQL, (old, new)))
    verdict = challenged(repo).verdict
    assert verdict.outcome == "failed" and judgements(repo) == 1, "the holdout was not asked"
    assert any(said in summary for name, summary in failed(verdict).items() if name.endswith("rows")), failed(verdict)


def test_new_columns_pair_challenger_and_champion_on_the_same_rows(repo: Path) -> None:
    change(repo, TRIPS, (repo / TRIPS).read_text().replace("version: 1.2.0", "version: 1.3.0"))
    change(
        repo,
        SQL,
        edited(COARSE_SQL, ("miles / 10", "miles / 2")),
    )
    verdict = challenged(repo, edited(GOOD, ("include: [miles, carrier, seats]", "include: [carrier, seats]"))).verdict
    assert verdict.promotable, verdict.reasons
    assert verdict.comparisons[0].count > 1000
    assert verdict.facts["timings"]["interference"] > 0, "the SQL ran once more"


def test_what_the_interference_test_can_t_see_promotes_nothing(repo: Path) -> None:
    rides = edited(
        (repo / "data_contracts/rides.yaml").read_text(),
        ("id: rides-1", "id: more-1"),
        ("landing/rides/", "landing/*/"),
    )
    change(repo, "data_contracts/more.yaml", rides.replace("name: rides\n", "name: more\n"))
    change(
        repo, TRIPS, edited((repo / TRIPS).read_text(), ("value: [rides]", "value: [rides, more]"), ("1.2.0", "1.3.0"))
    )
    change(
        repo,
        SQL,
        edited(COARSE_SQL, ("miles / 10", "miles / 2"), ("FROM rides", "FROM rides SEMI JOIN more USING (ride)")),
    )
    verdict = challenged(repo).verdict
    assert verdict.outcome == "passed" and not verdict.promotable
    assert "more is a source that the base branch doesn't have" in " ".join(verdict.loosened)


def budget(repo: Path, count: int) -> None:
    """Main allows ``count`` judgements."""
    git(repo, "switch", "-q", "main")
    change(repo, SPEC, edited(WEAK, ("    size: P120D", f"    size: P120D\n    judgements: {count}")))
    save(repo, "budget")
    git(repo, "switch", "-q", "-C", "change")


def test_a_spent_budget_promotes_nothing(repo: Path) -> None:
    budget(repo, 2)
    spec = edited(GOOD, ("    size: P120D", "    size: P120D\n    judgements: 2"))
    assert challenged(repo, edited(spec, ("seed: 7", "seed: 8"))).verdict.promotable
    verdict = challenged(repo, spec).verdict
    assert not verdict.promotable and judgements(repo) == 2
    assert any("budget is spent" in summary for summary in failed(verdict).values())


def test_challengers_that_fail_on_validation_cost_nothing(repo: Path) -> None:
    spec = edited(GOOD, ("kind: parity", "kind: bound\n    metric: roc_auc\n    rows: validation\n    minimum: 0.995"))
    git(repo, "switch", "-q", "main")
    change(repo, SPEC, edited(spec, ("include: [miles, carrier, seats]", "include: [carrier, seats]")))
    save(repo, "strict")
    git(repo, "switch", "-q", "-C", "change")
    verdict = challenged(repo, spec).verdict
    assert verdict.outcome == "failed" and verdict.holdout is None and judgements(repo) == 1


def refuse_promotion(repo: Path, harm: Callable[[Path], None], capsys: pytest.CaptureFixture[str]) -> str:
    assert challenged(repo).verdict.promotable
    harm(repo)
    assert main(["promote", MODEL, "--repo", str(repo)]) == 1
    return capsys.readouterr().err


def test_a_spec_that_changed_after_the_verdict_is_not_promoted(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refuse_promotion(repo, lambda r: change(r, SPEC, edited(GOOD, ("seed: 7", "seed: 9"))), capsys)
    assert "its spec changed after the verdict" in said


def test_a_champion_that_changed_after_the_verdict_is_not_replaced(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def harm(repo: Path) -> None:
        text = (repo / LOCK).read_text()
        onnx = next(line for line in text.splitlines() if line.startswith("onnx:"))
        change(repo, LOCK, text.replace(onnx, "onnx: sha256:" + "1" * 64))

    assert "the champion changed after the verdict" in refuse_promotion(repo, harm, capsys)


def test_a_commit_of_the_lock_alone_keeps_its_verdict(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert challenged(repo).verdict.promotable
    assert main(["promote", MODEL, "--repo", str(repo)]) == 0
    base = git(repo, "rev-parse", "HEAD")
    save(repo, "promote")
    capsys.readouterr()
    assert main(["plan", "--base", base, "--repo", str(repo)]) == 0
    assert "Nothing to build, nothing to judge." in capsys.readouterr().out
    change(repo, LOCK, (repo / LOCK).read_text().replace("family: logistic", "family: Logistic"))
    assert main(["plan", "--base", base, "--repo", str(repo)]) == 1
    assert "edited by hand" in capsys.readouterr().out


def test_what_was_never_built_is_not_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = settled(tmp_path / "repo")
    assert main(["judge", MODEL, "--repo", str(repo)]) == 2
    assert "nothing was built here yet" in capsys.readouterr().err
    assert main(["judge", "nothing", "--repo", str(repo)]) == 2
    assert "There is: rides, trips, tardy" in capsys.readouterr().err
