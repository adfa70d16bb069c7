"""What a promotion writes: a champion's lock and its card, as one verdict allows them."""

from .base import digest_of_bytes
from .bundle import BundleManifest
from .card import card_file, card_text
from .known import KnownState
from .lock_changes import lock_file
from .promotion import champion_lock, lock_text
from .repository import Repository
from .verdict import Finding, Outcome, Verdict

PROMOTED = ("models/*/champion.lock.yaml", "models/*/card.md")
"""Where they lie, as patterns: a commit of nothing else keeps its verdict."""


def promoted_files(
    verdict: Verdict, manifest: BundleManifest, commit: str | None, head: Repository
) -> dict[str, bytes]:
    """The files by path.

    Raises:
        RefusedError: the verdict allows none, or speaks of another bundle.
    """
    name, lock = verdict.subject.name, champion_lock(verdict, manifest, commit)
    files = {lock_file(name): lock_text(lock).encode()}
    spec = head.specs.get(name)
    if spec is not None and spec.contract.name in head.contracts:
        text = card_text(lock, verdict, manifest, spec, head.contracts[spec.contract.name])
        files[card_file(name)] = text.encode()
    return files


def card_findings(base: Repository, head: Repository, known: KnownState) -> list[Finding]:
    """Cards that say something else than the facts of the lock beside them; a lock without a card is as it was."""
    found = []
    for name, lock in sorted(head.locks.items()):
        card, file = card_file(name), lock_file(name)
        touched = any(base.files.get(path) != head.files.get(path) for path in (card, file))
        back = head.files.get(file) != base.files.get(file) and head.files.get(file) in known.former.get(name, ())
        verdict, manifest = known.verdicts.get(lock.verdict), known.bundles.get(lock.bundle)
        spec = head.specs.get(name)
        if not touched or back or card not in head.files or verdict is None or manifest is None or spec is None:
            continue
        contract = head.contracts.get(spec.contract.name)
        if (
            contract
            and digest_of_bytes(card_text(lock, verdict, manifest, spec, contract).encode()) != head.files[card]
        ):
            found.append(_edited(name, card))
    return found


def _edited(name: str, file: str) -> Finding:
    return Finding(
        name=f"model card of {name}",
        source="trust",
        outcome=Outcome.FAILED,
        summary="The card is not what the verdict, the spec and the contract say: nobody edits it by hand.",
        hint="Run acts promote again: it writes the lock and the card.",
        file=file,
    )
