"""Publishing an evaluation: hashed again, kept by digest, written down, promoted, told. It may be killed and run again.

Nothing here parses what a contributor built. Who stands for a build is asked of GitHub again, not of the evaluation.
"""

import tempfile
from pathlib import Path

from ci.github.actions import run_url
from ci.github.announcing import judged_ref, tell_last
from ci.github.outbox import Outbox, read_outbox, take_in
from ci.github.promotion import Promotion, promote_on_branch
from ci.github.submission import Desk, Submission
from ci.github.vouching import provenance_of
from ci.programs import record
from ci.report.model import Proposal, Report
from dagster_project.domain.errors import RefusedError
from dagster_project.domain.origin import Origin
from dagster_project.domain.verdict import Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.files import write_atomic
from dagster_project.storage.leases import LeaseLedger
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore


def publish(desk: Desk, folder: Path, digest: str, run_id: int) -> Promotion:
    """Publish the outbox of run ``run_id`` in ``folder``; what was promoted. Of a preview only the report is kept.

    Raises:
        RefusedError: the bytes are not those that were evaluated, or GitHub knows nothing of what they speak of.
    """
    outbox = read_outbox(folder, digest)
    if outbox.run != run_id:
        raise RefusedError(f"the evaluation speaks of run {outbox.run}, not of {run_id}: nothing is taken from it.")
    submission = submission_of(desk, outbox)
    workspace = Workspace(repo=desk.repo)
    store = ArtifactStore(workspace.store)
    take_in(folder, (outbox.report,), store)
    report = Report.from_json(store.get(outbox.report))
    preview = outbox.preview or (not submission.standing.vouched and bool(outbox.verdicts or report.builds))
    if preview and _has_verdict(store, submission):
        return Promotion()
    take_in(folder, () if preview else outbox.blobs, store)
    store.put(outbox.to_json().encode())
    verdicts = [] if preview else verdicts_of(store, outbox)
    _write_down(workspace, store, submission, outbox, verdicts, preview)
    earned = report.ending == "passed" and not preview
    done = promote_on_branch(desk, submission, verdicts, store) if earned else Promotion()
    report = with_promotion(report, submission, done)
    page = run_url()
    if report.ending != "broken" and preview == outbox.preview:
        told = {"outbox": digest, "report": store.put(report.to_json().encode()), "page": page}
        _remember(store, submission, told, done.commit)
    for head in (submission.head, done.commit):
        if head:
            tell_last(desk, submission.at(head), report, preview, digest, page)
    return done


def _has_verdict(store: ArtifactStore, submission: Submission) -> bool:
    """Whether this head was judged in earnest: a late preview says less."""
    ref = store.get_ref(judged_ref(submission.base, submission.head))
    return ref is not None and not Outbox.from_json(store.get(ref["outbox"])).preview


def verdicts_of(store: ArtifactStore, outbox: Outbox) -> list[Verdict]:
    """The outbox's verdicts.

    Raises:
        RefusedError: one is of other commits than the outbox.
    """
    verdicts = [Verdict.from_json(store.get(judged.verdict)) for judged in outbox.verdicts]
    for verdict in verdicts:
        if (verdict.base, verdict.head) != (outbox.base, outbox.head):
            raise RefusedError(
                f"the verdict on {verdict.subject.name} is of {str(verdict.head)[:12]}: nothing is taken."
            )
    return verdicts


def submission_of(desk: Desk, outbox: Outbox) -> Submission:
    """The outbox's submission, as GitHub has it now.

    Raises:
        RefusedError: it speaks of another repository, or of a run that did not build this head.
    """
    if outbox.repository != desk.forge.repository:
        raise RefusedError(f"the evaluation is of {outbox.repository}, not of {desk.forge.repository}.")
    run, pull = desk.forge.run(outbox.run), desk.forge.pull(outbox.pull)
    if not desk.built(run, pull, outbox.head):
        raise RefusedError(
            f"run {run.id} did not build {outbox.head[:12]} of #{pull.number}: nothing is taken from it."
        )
    submission = desk.of_head(pull, outbox.head, run)
    if submission is None or submission.base != outbox.base:
        raise RefusedError(f"{outbox.head[:12]} was judged on {outbox.base[:12]}, which it is not based on any more.")
    return submission


def with_promotion(report: Report, submission: Submission, done: Promotion) -> Report:
    """The report as it is told: what stands in the way now, and the lock that was or can't be written."""
    notes = (*submission.standing.reasons, *done.notes)
    if not done.patch:
        return report.model_copy(update={"notes": notes})
    proposal = Proposal(model=", ".join(done.models), file="promotion.patch, for git apply", diff=done.patch)
    return report.model_copy(update={"notes": notes, "proposals": (proposal,)})


def _write_down(
    workspace: Workspace,
    store: ArtifactStore,
    submission: Submission,
    outbox: Outbox,
    verdicts: list[Verdict],
    preview: bool,
) -> None:
    """Ledgers and Dagster, once for each evaluation that is published to its end."""
    if not preview:
        _vouch(workspace, store, submission, verdicts)
        for lease in outbox.leases:  # of a build that nobody stands for nothing is estimated
            LeaseLedger(workspace.ledger).add(lease)
    if store.get_ref(judged_ref(submission.base, submission.head)):
        return
    for row in outbox.costs:
        Ledger(workspace.ledger, "builds").append(row)
    if workspace.shares_dagster and verdicts:
        with tempfile.TemporaryDirectory(prefix="acts-verdicts-") as folder:
            files = [Path(folder) / f"{v.subject.kind}-{v.subject.name}.json" for v in verdicts]
            for path, verdict in zip(files, verdicts, strict=True):
                write_atomic(path, verdict.to_json().encode())
            origin = Origin(commit=outbox.head, pull_request=outbox.pull, launcher=outbox.launcher)
            record(workspace, *files, origin=origin)


def _vouch(workspace: Workspace, store: ArtifactStore, submission: Submission, verdicts: list[Verdict]) -> None:
    ledger = Ledger(workspace.ledger, "provenance")
    known = {(row.get("bundle"), row.get("run")) for row in ledger.rows()}
    for bundle in (verdict.challenger for verdict in verdicts if verdict.challenger):
        if (bundle, submission.run_url) not in known:
            ledger.append(provenance_of(store, submission, bundle).model_dump(mode="json"))


def _remember(store: ArtifactStore, submission: Submission, told: dict[str, str], promoted: str | None) -> None:
    """Let the head, and the head with its lock, be known as judged: neither is judged again. Before it is told, so that
    whoever tells a plan at the same time finds it afterwards."""
    for head in (promoted, submission.head):
        if head:
            store.set_ref(judged_ref(submission.base, head), told)
