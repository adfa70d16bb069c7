"""Changes of champion locks: only what a verdict allows, byte for byte."""

from .base import digest_of_bytes
from .bundle import BundleManifest
from .errors import RefusedError
from .known import KnownState
from .lock import ChampionLock
from .plan import Change
from .promotion import champion_lock, lock_text
from .repository import Repository
from .verdict import Finding, Outcome, Verdict

_HINT = "Run acts judge and acts promote; nobody edits a lock by hand, and git revert rolls one back."


def lock_file(name: str) -> str:
    """Where a model's lock lies."""
    return f"models/{name}/champion.lock.yaml"


def compare_locks(base: Repository, head: Repository, known: KnownState) -> tuple[list[Change], list[Finding]]:
    """What happened to each lock, and whether it may have."""
    changes, findings = [], []
    for name in sorted(base.locks.keys() | head.locks.keys()):
        file = lock_file(name)
        if base.files.get(file) == head.files.get(file):
            continue
        before, after = base.locks.get(name), head.locks.get(name)
        changes.append(Change(file=file, subject=name, kind="lock", what=_words(before, after)))
        back = head.files.get(file) in known.former.get(name, ())
        why = _refusal(name, after, head, known) or ("" if back else _stale(after, before, known))
        findings.append(
            Finding(
                name=f"champion lock of {name}",
                source="trust",
                outcome=Outcome.FAILED if why else Outcome.PASSED,
                summary=why or _allowance(after, back),
                hint=_HINT if why else "",
                file=file,
            )
        )
    return changes, findings


def _allowance(lock: ChampionLock | None, back: bool) -> str:
    how = "It goes back to a champion that the base branch had: " if back else ""
    return f"{how}The lock is what verdict {lock.verdict if lock else ''} allows, byte for byte."


def _stale(lock: ChampionLock | None, before: ChampionLock | None, known: KnownState) -> str:
    """Whether the verdict held the challenger against another champion than the one that it would replace."""
    verdict = known.verdicts.get(lock.verdict) if lock else None
    current = before.onnx if before else None
    if verdict is None or current in (verdict.champion, verdict.challenger_onnx):
        return ""
    was, now = (str(onnx)[:19] if onnx else "no champion" for onnx in (verdict.champion, current))
    return f"The verdict held it against {was}, but the base branch has {now} by now: judge it again."


def _words(before: ChampionLock | None, after: ChampionLock | None) -> str:
    if after is None:
        return "the champion is removed"
    if before is None:
        return f"first champion: {after.family} {after.onnx[:19]}"
    return f"champion: {before.family} {before.onnx[:19]} → {after.family} {after.onnx[:19]}"


def _refusal(name: str, lock: ChampionLock | None, head: Repository, known: KnownState) -> str:
    """Why the lock may not stand; empty where it may."""
    if lock is None:
        return f"The lock of {name} was deleted while the model is still there." if name in head.specs else ""
    verdict, manifest = known.verdicts.get(lock.verdict), known.bundles.get(lock.bundle)
    return lock_refusal(name, lock, head.files.get(lock_file(name)), verdict, manifest)


def lock_refusal(
    name: str, lock: ChampionLock, file: str | None, verdict: Verdict | None, manifest: BundleManifest | None
) -> str:
    """Why the lock is not what its verdict allows, byte for byte; empty where it is.

    ``file`` is the digest of the lock file's bytes; ``verdict`` and ``manifest`` are what the lock names, None where
    nobody knows them.
    """
    if verdict is None:
        return f"No verdict {lock.verdict[:19]} is known, so nothing allows this lock."
    if manifest is None:
        return f"No bundle {lock.bundle[:19]} is known, so nothing allows this lock."
    if verdict.subject.name != name or verdict.subject.kind != "model":
        return f"The verdict speaks of {verdict.subject.name}, not of {name}."
    try:
        expected = champion_lock(verdict, manifest, verdict.head or lock.commit)
    except RefusedError as error:
        return str(error)
    if digest_of_bytes(lock_text(expected).encode()) != file:
        return "The lock differs from what its verdict allows: it was edited by hand."
    return ""
