"""The plan: what a change costs, whom it reaches, what loosens, and what is refused before anything is built."""

from datetime import UTC, datetime

import pytest

from dagster_project.domain.base import digest_of_bytes
from dagster_project.domain.bundle import FILES as BUNDLE_FILES
from dagster_project.domain.bundle import BundleFile, BundleManifest, Input, Parity
from dagster_project.domain.fingerprint import build_key
from dagster_project.domain.known import KnownState
from dagster_project.domain.loading import read_repository
from dagster_project.domain.plan import Plan
from dagster_project.domain.planning import build_plan
from dagster_project.domain.promotion import champion_lock, lock_text
from dagster_project.domain.repository import Repository
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Measurement, Outcome, Subject, Verdict
from tests.trees import FILES, FLOOR, RIDES, SPEC, SPEC_FILE, TRIPS, TRIPS_SQL, MemoryTree, edited, repository, tree

CODE, ENVIRONMENT = "sha256:c0de", "sha256:e0"
LOCK_FILE = "models/tardy/champion.lock.yaml"
DIGEST = "sha256:" + "0" * 64
OTHER = "sha256:" + "1" * 64


def snapshot(found: Repository, name: str, inputs: dict[str, str] | None = None) -> Snapshot:
    return Snapshot(
        dataset=name, contract_version="1.0.0", contract_digest=found.contracts[name].data_digest(), uri="there",
        version=0, digest=f"sha256:{name}", rows=10, inputs=inputs or {}, created=datetime.now(UTC),
    )  # fmt: skip


def everything_known(found: Repository) -> KnownState:
    """A machine that has built the repository as it stands."""
    key = build_key(found.specs["tardy"], "sha256:trips", CODE, ENVIRONMENT)
    return KnownState(
        snapshots={"rides": snapshot(found, "rides"), "trips": snapshot(found, "trips", {"rides": "sha256:rides"})},
        builds={"tardy": (key,)},
        code={"tardy": CODE},
        environment=ENVIRONMENT,
        seconds={"build:model:tardy": 60.0, "judge:model:tardy": 5.0},
    )


def plan(head: dict[str, str | bytes], base: dict[str, str | bytes] = FILES, known: KnownState | None = None) -> Plan:  # type: ignore[assignment]
    before = repository(base)
    return build_plan(before, repository(head), "base", "head", known or everything_known(before))


def steps(found: Plan) -> list[str]:
    return [f"{s.action} {s.name}{' (reused)' if s.reused else ''}" for s in found.steps]


ALL = ["build rides", "judge rides", "build trips", "judge trips", "build tardy", "judge tardy"]
DERIVED = ALL[2:]
MODEL = ALL[4:]
JUDGE = ALL[5:]
EFFECTS = {
    "nothing": ({}, []),
    "the spec's description": ({"spec": edited(SPEC, ("Will the ride be late?", "Late, or not?"))}, []),
    "the spec's owners": ({"spec": edited(SPEC, ("[rides-team]", "[rides-team, others]"))}, []),
    "the contract's range": ({"spec": edited(SPEC, ('">=1.0,<2"', '">=1.1,<2"'))}, []),
    "a comment": ({"spec": f"# why\n{SPEC}"}, []),
    "the contract's wording": (
        {"trips": edited(TRIPS, ("One row for each ride.", "A ride a row."), ("1.2.0", "1.2.1"))}, [],
    ),
    "a gate": ({"spec": edited(SPEC, ("minimum: 0.6", "minimum: 0.65"))}, JUDGE),
    "the holdout's renewal": ({"spec": edited(SPEC, ("size: P31D", "size: P31D\n    renewal: 9000"))}, JUDGE),
    "the floor": ({"floor": edited(FLOOR, ("minimum: 0.55", "minimum: 0.56"))}, JUDGE),
    "the floor of another task": (
        {"floor": f"{FLOOR}  regression:\n    - {{kind: bound, metric: r2, minimum: 0.1}}\n"}, [],
    ),
    "a hyperparameter": ({"spec": edited(SPEC, ("10.0]", "20.0]"))}, MODEL),
    "a feature": ({"spec": edited(SPEC, ("[miles, carrier, seats]", "[miles, carrier]"))}, MODEL),
    "the seed": ({"spec": edited(SPEC, ("seed: 7", "seed: 8"))}, MODEL),
    "the split": ({"spec": edited(SPEC, ("validation: P30D", "validation: P20D"))}, MODEL),
    "the SQL": ({"sql": edited(TRIPS_SQL, ("delay > 15", "delay > 20")),
                 "trips": edited(TRIPS, ("1.2.0", "2.0.0")),
                 "spec": edited(SPEC, ('<2"', '<3"'))}, DERIVED),
    "the source": ({"rides": edited(RIDES, ("landing/rides", "arrived/rides"), ("1.0.0", "1.0.1"))}, ALL),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), EFFECTS.values(), ids=EFFECTS.keys())
def test_a_change_costs_what_it_has_to(changes: dict[str, str], expected: list[str]) -> None:
    found = plan(tree(**changes))
    assert not found.refused, found.findings
    assert steps(found) == expected


def test_reasons_say_why() -> None:
    rides = edited(RIDES, ("landing/rides", "arrived/rides"), ("1.0.0", "1.0.1"))
    reasons = {f"{s.action} {s.name}": "; ".join(s.reasons) for s in plan(tree(rides=rides)).steps}
    assert reasons["build rides"] == "source changed"
    assert reasons["build trips"] == "reads rides"
    assert reasons["build tardy"] == "reads trips (reads rides)"


def test_a_column_that_the_model_does_not_read_rebuilds_the_dataset_alone() -> None:
    text = edited(TRIPS, ("      - name: rumour\n", "      - name: rumour\n        classification: internal\n"))
    found = plan(tree(trips=edited(text, ("1.2.0", "2.0.0")), spec=edited(SPEC, ('<2"', '<3"'))))
    assert steps(found) == ["build trips", "judge trips"]


def test_a_condition_is_judged_on_the_rows_that_are_there() -> None:
    condition = (
        "  - property: threeacts.deepchecks\n    value: [{suite: data_integrity, check: DataDuplicates}]\nschema:"
    )
    found = plan(tree(trips=edited(TRIPS, ("schema:", condition))))
    assert steps(found) == ["judge trips", "judge tardy"]
    assert not any(change.loosens for change in found.changes)
    back = plan(dict(FILES), base=tree(trips=edited(TRIPS, ("schema:", condition))))
    assert [change.what for change in back.changes if change.loosens] == [
        "deepchecks condition on DataDuplicates removed or changed"
    ]


def test_builds_that_are_known_are_reused_and_cost_nothing() -> None:
    head = tree(spec=edited(SPEC, ("seed: 7", "seed: 8")))
    known = everything_known(repository(head))
    found = plan(head, known=known)
    assert steps(found) == ["build tardy (reused)", "judge tardy"]
    assert [step.seconds for step in found.steps] == [0.0, 5.0]
    assert plan(head).steps[0].seconds == 60.0


def test_code_that_changed_since_the_build_is_noticed() -> None:
    gates = tree(spec=edited(SPEC, ("minimum: 0.6", "minimum: 0.65")))
    known = everything_known(repository()).model_copy(update={"code": {"tardy": "sha256:other"}})
    found = plan(gates, known=known)
    assert steps(found) == MODEL
    assert found.steps[0].reasons == ("no build of this spec is known here",)
    known = everything_known(repository()).model_copy(update={"code_changed": ("tardy",)})
    assert plan(dict(FILES), known=known).steps[0].reasons == ("the code that trains it changed",)


def test_on_a_fresh_machine_everything_needed_is_built_first() -> None:
    found = plan(tree(spec=edited(SPEC, ("minimum: 0.6", "minimum: 0.65"))), known=KnownState())
    assert steps(found) == ["build rides", "build trips", "build tardy", "judge tardy"]


def test_a_derived_snapshot_of_older_rows_is_not_current() -> None:
    known = everything_known(repository())
    moved = known.snapshots["rides"].model_copy(update={"digest": "sha256:more"})
    known = known.model_copy(update={"snapshots": known.snapshots | {"rides": moved}})
    found = plan(tree(spec=edited(SPEC, ("seed: 7", "seed: 8"))), known=known)
    assert steps(found) == ["build trips", "build tardy", "judge tardy"]


LOOSENING = {
    "a bound lowered": (("minimum: 0.6", "minimum: 0.5"), True),
    "a bound raised": (("minimum: 0.6", "minimum: 0.7"), False),
    "a bound moved to other rows": (("minimum: 0.6", "minimum: 0.6\n    rows: validation"), True),
    "less confidence": (("minimum: 0.6", "minimum: 0.6\n    confidence: 0.9"), True),
    "more confidence": (("minimum: 0.6", "minimum: 0.6\n    confidence: 0.99"), False),
    "only a warning": (("minimum: 0.6", "minimum: 0.6\n    severity: warning"), True),
    "a gate removed": (("  - kind: bound\n    metric: roc_auc\n    minimum: 0.6\n", ""), True),
    "a gate added": (("gates:\n", "gates:\n  - {kind: size, maximum_mb: 10}\n"), False),
    "a margin for superiority": (("kind: champion\n", "kind: champion\n    margin: 0.01\n"), False),
    "non-inferiority is enough": (
        ("kind: champion\n", "kind: champion\n    test: non_inferiority\n    margin: 0.01\n"),
        True,
    ),
    "a larger drop": (("maximum_drop: 0.1", "maximum_drop: 0.2"), True),
    "a smaller drop": (("maximum_drop: 0.1", "maximum_drop: 0.05"), False),
    "one more slice": (("by: [carrier]", "by: [carrier, line]"), False),
    "another slice": (("by: [carrier]", "by: [line]"), True),
    "more checks allowed": (("[WeakSegmentsPerformance]", "[WeakSegmentsPerformance, DataDuplicates]"), True),
    "fewer checks allowed": (("\n    allow: [WeakSegmentsPerformance]", ""), False),
    "a suite less": (("[data_integrity, model_evaluation]", "[model_evaluation]"), True),
    "a smaller holdout": (("size: P31D", "size: P20D"), True),
    "another holdout, if larger": (("size: P31D", "size: P40D"), True),
    "another budget": (("size: P31D", "size: P31D\n    judgements: 40"), True),
    "sooner renewed": (("size: P31D", "size: P31D\n    renewal: 1000"), True),
    "later renewed": (("size: P31D", "size: P31D\n    renewal: 9000"), False),
    "another validation": (("validation: P30D", "validation: P40D"), True),
    "another gap": (("gap: P1D", "gap: PT0S"), True),
    "a training window": (("gap: P1D", "gap: P1D\n  window: P90D"), False),
    "another target": (("target: late", "target: grade\npositive: bad"), True),
    "another prediction time": (("prediction_time: PT0S", "prediction_time: PT1H"), True),
    "another feature": (("[miles, carrier, seats]", "[miles]"), False),
}


@pytest.mark.parametrize(("edit", "loosens"), LOOSENING.values(), ids=LOOSENING.keys())
def test_what_is_not_clearly_stricter_loosens(edit: tuple[str, str], loosens: bool) -> None:
    found = plan(tree(spec=edited(SPEC, edit)))
    assert any(change.loosens for change in found.changes) is loosens
    warned = [f for f in found.findings if f.name == "loosening of tardy"]
    assert {f.outcome for f in warned} == ({Outcome.WARNED} if loosens else set())
    assert not found.refused


def test_the_floors_gates_loosen_too_and_a_contracts_label() -> None:
    found = plan(tree(floor=edited(FLOOR, ("maximum_mb: 100", "maximum_mb: 200"))))
    assert [(c.subject, c.loosens) for c in found.changes] == [("every", True)]
    trips = edited(TRIPS, ("      - name: seats\n        logicalType: integer\n        customProperties:\n",
                           "      - name: seats\n        logicalType: integer\n        customProperties:\n"
                           "          - {property: threeacts.role, value: group}\n"), ("1.2.0", "2.0.0"))  # fmt: skip
    found = plan(tree(trips=trips, spec=edited(SPEC, ('<2"', '<3"'))))
    assert "group: line → line, seats" in [c.what for c in found.changes if c.loosens]


def test_a_breaking_change_needs_a_major_version_and_names_the_models() -> None:
    rides = edited(
        RIDES,
        ("      - name: delay\n        logicalType: number\n", "      - name: delay\n        logicalType: integer\n"),
    )
    found = plan(tree(rides=edited(rides, ("1.0.0", "1.1.0"))))
    assert found.refused
    assert found.reached == {"rides": ("tardy",)}
    (finding,) = [f for f in found.findings if f.outcome == Outcome.FAILED]
    assert finding.file == "data_contracts/rides.yaml"
    assert "2.0.0" in finding.hint
    assert not plan(tree(rides=edited(rides, ("1.0.0", "2.0.0")))).refused


def test_versions_never_go_down() -> None:
    found = plan(tree(rides=edited(RIDES, ("1.0.0", "0.9.0"))))
    assert found.refused
    assert "never go down" in found.findings[0].summary


def test_files_left_alone_that_no_longer_fit_are_findings_and_nothing_runs() -> None:
    before = repository()
    head = read_repository(MemoryTree(tree(trips=edited(TRIPS, ("1.2.0", "2.0.0")))))
    assert [p.file for p in head.problems] == [SPEC_FILE]
    found = build_plan(before, head.repository, "base", "head", KnownState(), head.problems)
    assert found.refused
    assert found.steps == ()
    assert "outside >=1.0,<2" in found.findings[-1].summary


def test_a_new_model_and_a_removed_one() -> None:
    without = {path: text for path, text in FILES.items() if path != SPEC_FILE}
    known = everything_known(repository())
    assert steps(plan(dict(FILES), base=without, known=KnownState(snapshots=known.snapshots))) == MODEL
    found = plan(without, known=known)
    assert [c.what for c in found.changes] == ["the model is removed"]
    assert found.steps == ()


def test_planning_is_repeatable_and_survives_json() -> None:
    head = tree(
        spec=edited(SPEC, ("seed: 7", "seed: 8")),
        sql=edited(TRIPS_SQL, ("15", "20")),
        trips=edited(TRIPS, ("1.2.0", "1.3.0")),
    )
    assert plan(head) == plan(head)
    assert Plan.from_json(plan(head).to_json()) == plan(head)


def manifest() -> BundleManifest:
    return BundleManifest(
        model="tardy", task="binary", target="late", family="random_forest", parameters={"max_depth": 8},
        features=("miles",), inputs=(Input(name="miles", dtype="float32"),), outputs=("label", "probabilities"),
        dataset="trips", contract_version="1.2.0", snapshot=DIGEST, build_key=DIGEST, training_digest=DIGEST,
        code_digest=DIGEST, environment_digest=DIGEST, seed=7, rows={"train": 10}, claims={},
        parity=Parity(maximum_difference=0.0, flipped_labels=0, rows=1, planted=()),
        files={name: BundleFile(digest=DIGEST, size=1) for name in BUNDLE_FILES},
    )  # fmt: skip


def verdict(bundle: str, promotable: bool = True) -> Verdict:
    return Verdict(
        subject=Subject(kind="model", name="tardy"), outcome="passed", promotable=promotable, challenger=bundle,
        challenger_onnx=DIGEST, snapshot=DIGEST,
        measurements=(
            Measurement(metric="roc_auc", rows="validation", value=0.7, low=0.68, high=0.72, confidence=0.95),
        ),
    )  # fmt: skip


def promoted() -> tuple[str, KnownState]:
    bundle = manifest()
    passed = verdict(bundle.content_digest())
    lock = champion_lock(passed, bundle, commit="abc")
    known = everything_known(repository()).model_copy(
        update={"verdicts": {lock.verdict: passed}, "bundles": {lock.bundle: bundle}}
    )
    return lock_text(lock), known


def test_a_lock_that_its_verdict_allows_passes_and_costs_nothing() -> None:
    text, known = promoted()
    settled = known.model_copy(update={"settled": ("tardy",)})
    found = plan(dict(FILES) | {LOCK_FILE: text}, known=settled)
    assert not found.refused
    assert found.steps == ()
    doubted = plan(dict(FILES) | {LOCK_FILE: text}, known=known)
    assert not doubted.refused and steps(doubted) == ["build tardy (reused)", "judge tardy"][1:]
    assert doubted.steps[-1].reasons == ("its lock's verdict is of other rules",)
    assert [c.kind for c in found.changes] == ["lock"]


@pytest.mark.parametrize(
    "edit",
    [
        ("random_forest", "extra_trees"),
        ("0.72", "0.92"),
        ("# Written by", "# By hand, not by"),
        (DIGEST, "sha256:" + "1" * 64),
    ],
    ids=["family", "metric", "comment", "digest"],
)
def test_a_lock_edited_by_hand_is_refused(edit: tuple[str, str]) -> None:
    text, known = promoted()
    found = plan(dict(FILES) | {LOCK_FILE: edited(text, edit)}, known=known)
    assert found.refused
    assert any("acts promote" in f.hint for f in found.findings if f.outcome == Outcome.FAILED)


def test_a_lock_without_a_known_verdict_is_refused() -> None:
    text, known = promoted()
    head = dict(FILES) | {LOCK_FILE: text}
    assert plan(head, known=known.model_copy(update={"verdicts": {}})).refused
    assert plan(head, known=known.model_copy(update={"bundles": {}})).refused


def test_a_verdict_against_another_champion_promotes_nothing_unless_it_was_the_bases_before() -> None:
    """Two pull requests were judged against no champion; the second one's lock would replace the first one's."""
    text, known = promoted()
    base = dict(FILES) | {LOCK_FILE: text.replace(DIGEST, OTHER)}
    stale = plan(dict(FILES) | {LOCK_FILE: text}, base=base, known=known)
    assert stale.refused and "held it against no champion, but the base branch has sha256:1111" in said(stale)
    before = known.model_copy(update={"former": {"tardy": (digest_of_bytes(text.encode()),)}})
    back = plan(dict(FILES) | {LOCK_FILE: text}, base=base, known=before)
    assert not back.refused and "goes back to a champion that the base branch had" in said(back)
    edit = text.replace("family: random_forest", "family: other")
    assert edit != text
    forged = known.model_copy(update={"former": {"tardy": (digest_of_bytes(edit.encode()),)}})
    assert plan(dict(FILES) | {LOCK_FILE: edit}, base=base, known=forged).refused, "had before, and edited by hand then"


def test_a_model_that_is_what_it_was_before_is_not_built_again() -> None:
    text, known = promoted()
    other = dict(FILES) | {SPEC_FILE: edited(SPEC, ("trials: 6", "trials: 7")), LOCK_FILE: text.replace(DIGEST, OTHER)}
    head = dict(FILES) | {LOCK_FILE: text}
    before = known.model_copy(update={"former": {"tardy": (digest_of_bytes(text.encode()),)}})
    assert steps(plan(head, base=other, known=before))[-1] == "judge tardy"
    whole = before.model_copy(update={"settled": ("tardy",)})
    assert plan(head, base=other, known=whole).steps == () and not plan(head, base=other, known=whole).refused


def said(found: Plan) -> str:
    return " ".join(finding.summary for finding in found.findings)


def test_a_lock_may_go_only_with_its_model() -> None:
    text, known = promoted()
    base = dict(FILES) | {LOCK_FILE: text}
    assert plan(dict(FILES), base=base, known=known).refused
    without = {path: words for path, words in FILES.items() if path != SPEC_FILE}
    assert not plan(without, base=base, known=known).refused


def test_loosening_and_promoting_are_two_pull_requests() -> None:
    text, known = promoted()
    found = plan(tree(spec=edited(SPEC, ("minimum: 0.6", "minimum: 0.5"))) | {LOCK_FILE: text}, known=known)
    assert found.refused
    assert [f.outcome for f in found.findings if f.name == "loosening of tardy"] == [Outcome.FAILED]
