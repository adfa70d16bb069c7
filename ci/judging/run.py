"""Judge a subject of a session and keep the verdict where promote, report and Dagster find it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.judging.dataset import judge_dataset
from ci.judging.model import judge_model
from ci.session import Session, kind_of
from dagster_project.domain.base import canonical_json
from dagster_project.domain.build import BuildResult
from dagster_project.domain.bundle import Provenance
from dagster_project.domain.decide import Case, decide
from dagster_project.domain.errors import RefusedError, UsageError
from dagster_project.domain.facts import Cost
from dagster_project.domain.lease import LeaseEnd
from dagster_project.domain.verdict import Finding, Measurements, Outcome, Subject, Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.bundles import load_manifest, store_bundle
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore

Voucher = Callable[[str], Provenance | None]


@dataclass(frozen=True)
class Judged:
    """A verdict, the suites' pages by digest, and what judging took."""

    verdict: Verdict
    pages: dict[str, str]
    seconds: float


def judge(session: Session, name: str, folder: Path | None = None) -> Judged:
    """The verdict on the last build of ``name``, or on the bundle in ``folder``; it is kept, and what it took.

    Raises:
        UsageError: nothing was built.
        MachineryError: something is missing or broken.
    """
    store = ArtifactStore.of(session.workspace)
    lease = None if folder or name not in session.head.specs else last_lease(store, name)
    judged = measured(session, name, folder, recorded(session.workspace), lease)
    keep(store, judged)
    Ledger(session.workspace.ledger, "builds").append(cost_row(judged))
    return judged


def measured(session: Session, name: str, folder: Path | None, vouch: Voucher, lease: LeaseEnd | None = None) -> Judged:
    """The verdict alone; ``vouch`` says who stands for a bundle, None: nobody does; ``lease`` what its build took.

    Raises:
        UsageError: nothing was built.
        MachineryError: something is missing or broken.
    """
    started, kind = time.perf_counter(), kind_of(session.head, name)
    store = ArtifactStore.of(session.workspace)
    given = (session.base, session.head, session.workspace)
    pages: dict[str, str] = {}
    try:
        if kind == "dataset":
            verdict, pages = judge_dataset(name, *given, session.commits)
        else:
            bundle = store_bundle(store, folder) if folder else _own_bundle(session, store, name)
            verdict, pages = judge_model(name, *given, bundle, session.commits, vouch(bundle))
    except RefusedError as refusal:
        verdict = _refused(Subject(kind=kind, name=name), session, str(refusal))
    return Judged(with_cost(verdict, lease), pages, round(time.perf_counter() - started, 3))


def with_cost(verdict: Verdict, lease: LeaseEnd | None) -> Verdict:
    """The verdict with what its build says that it took: shown, and asked by nobody who decides."""
    if lease is None:
        return verdict
    cost = Cost(amount=lease.amount, currency=lease.currency, what=lease.what).model_dump(mode="json")
    gpu = {"gpu": lease.gpu.model_dump(mode="json")} if lease.gpu else {}
    return verdict.model_copy(update={"facts": {**verdict.facts, "cost": cost, **gpu}})


def recorded(workspace: Workspace) -> Voucher:
    """What the trusted launcher wrote down about a bundle."""

    def vouch(bundle: str) -> Provenance | None:
        rows = [row for row in Ledger(workspace.ledger, "provenance").rows() if row.get("bundle") == bundle]
        fields = Provenance.model_fields
        return Provenance.model_validate({k: v for k, v in rows[-1].items() if k in fields}) if rows else None

    return vouch


def cost_row(judged: Judged) -> dict[str, Any]:
    """A row of the ledger that plans are estimated from."""
    subject = judged.verdict.subject
    cost = {"seconds": judged.seconds, "outcome": judged.verdict.outcome}
    return {"action": "judge", "kind": subject.kind, "name": subject.name, **cost}


def _own_bundle(session: Session, store: ArtifactStore, name: str) -> str:
    """The last build's, where it is of the spec that stands here."""
    bundle = last_bundle(store, name)
    if load_manifest(store, bundle).training_digest != session.head.specs[name].training_digest():
        raise UsageError(f"{name}: the last build here is of another spec. Run acts build {name}.")
    return bundle


def _refused(subject: Subject, session: Session, why: str) -> Verdict:
    """What was refused before it could be measured has failed."""
    found = Finding(name="refused", source="trust", outcome=Outcome.FAILED, summary=why)
    case = Case(subject=subject, base=session.commits.base, head=session.commits.head)
    return decide((), Measurements(checks=(found,)), case)


def keep(store: ArtifactStore, judged: Judged) -> str:
    """Put the verdict in the store and point its subject at it; the digest."""
    subject = judged.verdict.subject
    digest = store.put(canonical_json(judged.verdict.model_dump(mode="json")))
    store.set_ref(f"verdicts/{subject.kind}/{subject.name}", {"verdict": digest, "pages": judged.pages})
    return digest


def last_lease(store: ArtifactStore, model: str) -> LeaseEnd | None:
    """What the model's last build here took; None where it was reused or there is none."""
    latest = store.get_ref(f"latest/model/{model}")
    return BuildResult.model_validate(latest).lease if latest else None


def last_bundle(store: ArtifactStore, model: str) -> str:
    """Digest of the model's last build here; raises ``UsageError`` where there is none."""
    latest = store.get_ref(f"latest/model/{model}")
    bundle = BuildResult.model_validate(latest).bundle if latest else None
    if bundle is None:
        raise UsageError(f"{model}: nothing was built here yet. Run acts build {model}.")
    return bundle


def last_verdict(store: ArtifactStore, kind: str, name: str) -> Verdict:
    """The newest verdict on a subject; raises ``UsageError`` where there is none."""
    ref = store.get_ref(f"verdicts/{kind}/{name}")
    if ref is None:
        raise UsageError(f"{name}: nothing was judged here yet. Run acts judge {name}.")
    return Verdict.from_json(store.get(str(ref["verdict"])))
