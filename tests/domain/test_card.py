"""The model card: plain words from facts alone, the same for the same facts, and nobody's text breaks out of it."""

from typing import Any

import pytest

from dagster_project.domain.bundle import BundleManifest
from dagster_project.domain.card import card_file, card_text
from dagster_project.domain.known import KnownState
from dagster_project.domain.lock_changes import lock_file
from dagster_project.domain.promoted import card_findings, promoted_files
from dagster_project.domain.promotion import champion_lock
from dagster_project.domain.repository import Repository
from dagster_project.domain.specs import load_lock
from dagster_project.domain.verdict import Finding, Measurement, Outcome, Subject, Verdict
from tests.domain.test_planning_steps import manifest as bundle_of
from tests.trees import repository, tree

MODEL = "tardy"


def measured(metric: str, value: float, slice: str | None = None, **more: Any) -> Measurement:
    fields = {"rows": "validation", "low": value - 0.02, "high": value + 0.02, "confidence": 0.95, "count": 900}
    return Measurement(metric=metric, value=value, slice=slice, **{**fields, **more})


def promoted(**facts: Any) -> tuple[Repository, Verdict, BundleManifest]:
    """The small repository's model with a verdict that allows its promotion."""
    head = repository(tree())
    manifest = bundle_of()
    verdict = Verdict(
        subject=Subject(kind="model", name=MODEL),
        outcome="passed",
        promotable=True,
        challenger=manifest.content_digest(),
        challenger_onnx=manifest.onnx_digest,
        measurements=(
            measured("roc_auc", 0.71),
            measured("accuracy", 0.83),
            measured("roc_auc", 0.66, "carrier=A", confidence=0.99),
            measured("roc_auc", 0.75, "carrier=B", confidence=0.99),
            measured("calibration_error", 0.031, low=None, high=None, confidence=None),
        ),
        findings=(
            Finding(name="Drift|<b>", source="deepchecks", outcome=Outcome.WARNED, summary="`moved` [here](x)"),
            Finding(name="Drift|<b>", source="deepchecks", outcome=Outcome.WARNED, summary="`moved` [here](x)"),
        ),
        facts={"task": "binary", "importances": {"challenger": {"miles": 0.8, "carrier": 0.2, "seats": 0.0}}, **facts},
    )
    return head, verdict, manifest


def card_of(head: Repository, verdict: Verdict, manifest: BundleManifest) -> str:
    return promoted_files(verdict, manifest, "abc", head)[card_file(MODEL)].decode()


def test_a_card_says_in_plain_words_what_the_facts_are() -> None:
    text = card_of(*promoted())
    assert text.startswith("# Model card: tardy\n\nWill the ride be late?\n")
    assert "| accuracy | 0.830 | 0.810 and 0.850 | right 83 times in 100 |" in text
    assert "it tells which 71 times in 100; 50 is a coin" in text
    assert text.index("carrier=A") < text.index("carrier=B"), "the worst first"
    assert "| `miles` | 80.0 % | ████████████████████████ |" in text and "It makes no use of `seats`." in text
    assert "on average it is off by 3.1 of 100" in text
    assert "- **Made from:** rides" in text and "- **Owners:** rides-team" in text
    assert "- **Replaces:** nothing, it is the first" in text


def test_the_same_facts_give_the_same_bytes_and_others_do_not() -> None:
    assert card_of(*promoted()) == card_of(*promoted())
    assert card_of(*promoted()) != card_of(*promoted(rows={"train": 10}))


def test_what_others_wrote_stays_text_and_is_said_once() -> None:
    text = card_of(*promoted())
    assert text.count("Drift\\|&lt;b&gt;: 'moved' \\[here\\](x)") == 1 and "<b>" not in text


@pytest.mark.parametrize("facts", [{}, {"importances": None}])
def test_what_is_not_known_is_left_out(facts: dict[str, Any]) -> None:
    head, verdict, manifest = promoted(**facts)
    bare = verdict.model_copy(update={"measurements": (), "findings": (), "facts": facts})
    lock = champion_lock(bare, manifest, None)
    spec = head.specs[MODEL]
    text = card_text(lock, bare, manifest, spec, head.contracts[spec.contract.name])
    assert "What it looks at" not in text and "For whom" not in text and "How sure" not in text
    assert "Who answers for it" in text and "remarked" not in text
    remarked = bare.model_copy(update={"findings": verdict.findings})
    text = card_text(lock, remarked, manifest, spec, head.contracts[spec.contract.name])
    assert "## What its tests remarked" in text and "How sure" not in text


def states(card: bytes | None, **more: Any) -> tuple[Repository, Repository, KnownState]:
    """main without a champion, a head with its lock and this card, and what is known of them."""
    from dagster_project.domain.base import digest_of_bytes

    head, verdict, manifest = promoted()
    files = promoted_files(verdict, manifest, "abc", head)
    paths = {lock_file(MODEL): digest_of_bytes(files[lock_file(MODEL)])}
    if card is not None:
        paths[card_file(MODEL)] = digest_of_bytes(card)
    lock = champion_lock(verdict, manifest, "abc")
    after = head.model_copy(update={"locks": {MODEL: lock}, "files": {**head.files, **paths}})
    known = {"verdicts": {lock.verdict: verdict}, "bundles": {lock.bundle: manifest}, **more}
    return head, after, KnownState(**known)


def test_only_what_acts_promote_writes_passes() -> None:
    head, verdict, manifest = promoted()
    own = promoted_files(verdict, manifest, "abc", head)[card_file(MODEL)]
    assert card_findings(*states(own)) == []
    (found,) = card_findings(*states(own.replace(b"83 times", b"99 times")))
    assert found.outcome is Outcome.FAILED and found.file == "models/tardy/card.md" and "acts promote" in found.hint
    assert card_findings(*states(None)) == [], "a lock from before there were cards"


def test_a_card_that_nobody_touched_and_a_revert_are_not_looked_at() -> None:
    base, head, known = states(b"of another time")
    assert card_findings(head, head, known) == []
    former = {MODEL: (head.files[lock_file(MODEL)],)}
    assert card_findings(base, head, known.model_copy(update={"former": former})) == []


@pytest.mark.parametrize(
    "commit",
    [
        "0bac639c43b411c80c4931b690411b7ade27bc3c",
        "1234567890123456789012345678901234567e12",
        "1234567890123456789012345678901234567890",
        "0123456701234567012345670123456701234567",
        "7ade27bc3c0bac639c43b411c80c4931b690411b",
    ],
)
def test_a_commit_that_looks_like_a_number_is_locked_as_text(commit: str) -> None:
    """Each reader of YAML has its own idea of them; a lock that nobody can read deploys nothing."""
    head, verdict, manifest = promoted()
    text = promoted_files(verdict, manifest, commit, head)[lock_file(MODEL)]
    lock = load_lock(text, lock_file(MODEL))
    assert lock == champion_lock(verdict, manifest, commit) and lock.commit == commit
    assert (f"commit: {commit}\n" in text.decode()) is (commit.startswith("7a")), "others stay as they always were"
