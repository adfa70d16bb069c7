"""Experiments on a real repository: what passes is proposed and never promoted, what does not is written down."""

from pathlib import Path

import pytest

from ci.experimenting.challenge import Challenge
from ci.git import GitTree, main_tip
from ci.planning import make_plan
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import MachineryError, RefusedError, UsageError
from dagster_project.domain.experimenting import LEDGER, ExperimentRow
from dagster_project.domain.specs import load_spec
from dagster_project.domain.verdict import Outcome
from dagster_project.domain.workspace import Workspace
from dagster_project.factories.instance import open_instance
from dagster_project.factories.verdicts import judged_key
from dagster_project.storage.ledger import Ledger
from tests.ci.experimenting.conftest import DAY, NOW, QuickBench, on_main, tried
from tests.ci.workbench import GOOD, MODEL, SPEC, WEAK, git
from tests.pipeline.small import deliver
from tests.trees import edited

BRANCH = f"experiment/{MODEL}"
CARD = f"models/{MODEL}/card.md"
LOCK = f"models/{MODEL}/champion.lock.yaml"
WIDER = edited(GOOD, ("task: binary\n", "task: binary\nexperiment: {schedule: 0 5 * * *, trials: 3}\n"))


def rows(repo: Path) -> list[ExperimentRow]:
    return [ExperimentRow.of(row) for row in Ledger(Workspace(repo=repo).ledger, LEDGER).rows()]


def changed(repo: Path, branch: str = BRANCH) -> list[str]:
    return git(repo, "diff", "--name-only", f"main...{branch}").split()


def text_of(repo: Path) -> str:
    return (Workspace(repo=repo).home / "pulls" / BRANCH / "pull.md").read_text()


def test_what_passes_is_proposed_and_not_promoted(repo: Path) -> None:
    before = on_main(repo, {SPEC: WIDER})
    row = tried(repo)
    assert row.ending == "opened" and rows(repo) == [row] and row.base == before
    assert main_tip(repo) == before and (repo / LOCK).read_text() == GitTree(repo, "main").read(LOCK).decode()
    assert git(repo, "rev-parse", BRANCH) == row.commit
    lock = GitTree(repo, BRANCH).read(LOCK).decode()
    assert str(row.challenger) in lock and f"replaces: {row.champion}" in lock and f"commit: {row.head}" in lock
    assert "because: asked for by hand" in text_of(repo) and "Nothing is promoted until" in text_of(repo)
    assert (Path(str(row.report)) / "report.html").exists()
    # What the pull request itself says is what was built, so that nothing of it is built or judged again.
    plan = make_plan(repo, "main", BRANCH)
    assert plan.steps == () and not plan.refused
    assert [f.outcome for f in plan.findings if "lock" in f.name] == [Outcome.PASSED]
    assert any("search.trials: 1 → 3" in change.what for change in plan.changes)
    assert changed(repo) == [CARD, LOCK, SPEC] and "search.trials: 1 → 3" in text_of(repo)
    declared = load_spec(GitTree(repo, str(row.head)).read(SPEC), SPEC)
    assert row.head != row.base and declared.search.trials == 3, "what was built is what the pull request says"
    assert GitTree(repo, BRANCH).read(SPEC) == GitTree(repo, str(row.head)).read(SPEC)


def test_an_equal_challenger_is_refused_and_written_down(repo: Path) -> None:
    row = tried(repo)
    assert row.ending == "refused" and "already" in " ".join(row.words), row.words
    assert rows(repo) == [row] and row.pull is None and row.verdict
    assert git(repo, "branch", "--list", BRANCH) == ""
    assert (Path(str(row.report)) / "verdict-model-tardy.json").exists()
    with open_instance(Workspace(repo=repo)) as instance:
        event = instance.get_latest_materialization_event(judged_key("model", MODEL))
    assert event and event.asset_materialization, "operators see it in Dagster"
    told = event.asset_materialization
    assert told.metadata["promotable"].value is False and (told.tags or {})["acts/launcher"] == "experiment"
    assert told.description and row.words[0] in told.description


@pytest.mark.slow
def test_a_newer_challenger_brings_the_same_pull_request_up_to_date(repo: Path) -> None:
    on_main(repo, {SPEC: GOOD})
    first = tried(repo)
    assert tried(repo, NOW + DAY).ending == "unchanged", "the same bytes"
    deliver(repo, "more", first=400, days=40)
    second = tried(repo, NOW + 2 * DAY)
    assert (second.ending, second.pull) == ("updated", first.pull) and second.challenger != first.challenger
    assert changed(repo) == [CARD, LOCK] and second.labelled == (first.labelled or 0) + 400
    git(repo, "merge-base", "--is-ancestor", str(first.commit), BRANCH)
    assert str(second.challenger) in GitTree(repo, BRANCH).read(LOCK).decode()


@pytest.mark.slow
def test_what_is_merged_becomes_champion_and_the_next_one_opens_anew(repo: Path) -> None:
    on_main(repo, {SPEC: WIDER})
    first = tried(repo)
    git(repo, "update-ref", "refs/heads/main", str(first.commit))
    deliver(repo, "more", first=400, days=40)
    again = tried(repo, NOW + DAY)
    assert again.champion == first.challenger and again.ending in ("refused", "opened")
    assert again.head == again.base == first.commit, "main declares the wider search by now"


@pytest.mark.slow
def test_a_refusal_is_told_on_the_pull_request_that_is_open(repo: Path) -> None:
    on_main(repo, {SPEC: GOOD})
    first = tried(repo)
    on_main(repo, {SPEC: WEAK})
    second = tried(repo, NOW + DAY)
    assert second.ending == "refused" and second.pull == first.pull
    said = (Path(str(first.pull)) / "comments.md").read_text()
    assert "was refused" in said and "Look again before you merge" in said
    assert git(repo, "rev-parse", BRANCH) == first.commit


def test_what_breaks_is_no_verdict_and_two_never_run_at_once(repo: Path) -> None:
    class Broken(QuickBench):
        def build(self, _: Challenge) -> BuildResult:
            with pytest.raises(UsageError, match="another experiment"):
                tried(repo)
            raise MachineryError("the disk is full")

    row = tried(repo, bench=Broken())
    assert (row.ending, row.words, row.verdict) == ("broken", ("the disk is full",), None)
    assert rows(repo) == [row]


@pytest.mark.slow
def test_a_build_that_may_not_cost_so_much_is_refused_and_not_tried_at_every_look(repo: Path) -> None:
    class Dear(QuickBench):
        def build(self, tried: Challenge) -> BuildResult:
            raise RefusedError("it would cost 4.67 EUR, and its ceiling is 0.70")

    row = tried(repo, bench=Dear())
    assert row.ending == "refused" and any("0.70" in words for words in row.words) and rows(repo) == [row]


def test_a_kill_before_the_row_is_written_costs_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_main(repo, {SPEC: GOOD})
    with monkeypatch.context() as patch:
        patch.setattr("ci.experimenting.run.append", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tried(repo)
    tip, counted = git(repo, "rev-parse", BRANCH), len(Ledger(Workspace(repo=repo).ledger, "judgements").rows())
    row = tried(repo)
    assert row.ending == "unchanged" and git(repo, "rev-parse", BRANCH) == tip
    assert len(Ledger(Workspace(repo=repo).ledger, "judgements").rows()) == counted, (
        "the same bytes are judged for free"
    )


@pytest.mark.slow
def test_a_spent_holdout_waits_for_newly_labelled_rows_that_renew_it(repo: Path) -> None:
    class Idle(QuickBench):
        def build(self, _: Challenge) -> BuildResult:
            raise AssertionError("nothing may be built")

    few = edited(WEAK, ("    size: P120D", "    size: P120D\n    judgements: 1\n    renewal: 100"))
    on_main(repo, {SPEC: edited(few, ("include: [carrier, seats]", "include: [miles, carrier, seats]"))})
    row = tried(repo, bench=Idle())
    assert row.ending == "waiting" and "budget is spent" in row.words[0] and row.verdict
    assert "100 more newly labelled rows renew it" in row.words[0] and git(repo, "branch", "--list", BRANCH) == ""
    deliver(repo, "more", first=400, days=9)
    assert "10 more" in tried(repo, NOW + DAY, bench=Idle()).words[0]
    deliver(repo, "most", first=409, days=1)
    row = tried(repo, NOW + 2 * DAY)
    assert row.ending == "opened", row.words
    assert row.labelled == 4100
