"""Judging what a run built, as data: the head's files from git objects, bundles from artifacts, our own code alone."""

import tempfile
import time
from pathlib import Path

from ci.forge.values import Artifact
from ci.github.announcing import judged_before, planned
from ci.github.builds import BUNDLE, MOST_ZIP, builds_of, unpack
from ci.github.outbox import JudgedSubject, Outbox, write_outbox
from ci.github.submission import Desk, Submission
from ci.github.vouching import provenance_of
from ci.judging.run import Judged, Voucher, cost_row, keep, measured
from ci.pull_request import Progress, report_of, write_pages
from ci.report.model import Report
from ci.session import Session, open_commits
from dagster_project.domain.bundle import Provenance
from dagster_project.domain.errors import MachineryError, RefusedError
from dagster_project.domain.lease import LeaseEnd
from dagster_project.domain.plan import Plan, PlanStep
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore


def evaluate(desk: Desk, submission: Submission, out: Path, pages: Path) -> str | None:
    """Judge a submission; leave its outbox in ``out``, and in ``pages`` the report for people.

    The outbox's digest; None: it was judged before.
    """
    store = ArtifactStore.of(Workspace(repo=desk.repo))
    if judged_before(store, submission):
        return None
    report, done = judged_report(desk, submission)
    write_pages(store, report, done.judged, pages)
    outbox = Outbox(
        repository=desk.forge.repository,
        pull=submission.pull.number,
        head=submission.head,
        base=submission.base,
        launcher=submission.launcher,
        run=submission.run,
        preview=bool(done.judged or done.builds) and not submission.standing.vouched,
        report=store.put(report.to_json().encode()),
        verdicts=tuple(_subject(store, judged) for judged in done.judged),
        costs=tuple(cost_row(judged) for judged in done.judged),
        leases=tuple(build.lease for build in done.builds if build.lease),
    )
    return write_outbox(out, outbox.model_copy(update={"blobs": tuple(store.own_digests())}), store)


def judged_report(desk: Desk, submission: Submission) -> tuple[Report, Progress]:
    """The whole report: as planned where nothing may run, else with what was built and judged."""
    before, done = planned(desk, submission), Progress()
    if before.plan is None or before.plan.refused:
        return before, done
    if not before.plan.steps:
        return before.model_copy(update={"pending": False, "notes": ()}), done
    session = open_commits(desk.repo, submission.base, submission.head)
    with tempfile.TemporaryDirectory(prefix="acts-builds-") as folder:
        _run(desk, submission, before.plan, session, Path(folder), done)
    report = report_of(session, before.plan, done)
    return report.model_copy(update={"repository": desk.forge.repository, "notes": before.notes}), done


def _run(desk: Desk, submission: Submission, plan: Plan, session: Session, folder: Path, done: Progress) -> None:
    """Take the builds in, then judge in the plan's order, each step by itself: one that breaks stops no other."""
    left = builds_of(desk.forge, submission.run)
    for step in plan.steps:
        started, place = time.perf_counter(), folder / f"{step.kind}-{step.name}"
        try:
            if step.action == "build":
                _take_in(desk, left.get(f"{step.kind} {step.name}"), place, step, submission.run_url, done)
            elif not _failed(step, done):
                bundle = place / BUNDLE if step.kind == "model" else None
                lease = _lease(step, done)
                done.judged.append(measured(session, step.name, bundle, voucher(submission, session), lease))
        except (MachineryError, RefusedError) as error:
            done.broken.append(f"{step.action} {step.name}: {error}")
        done.timings[f"{step.action} {step.name}"] = round(time.perf_counter() - started, 3)


def _take_in(desk: Desk, artifact: Artifact | None, place: Path, step: PlanStep, run_url: str, done: Progress) -> None:
    """A build's claims. What it says of itself can make the verdict fail, never pass."""
    if artifact is None:
        raise MachineryError(f"the run left no build of {step.name}. Look at {run_url}, and run it again.")
    result = unpack(desk.forge.download(artifact, MOST_ZIP), place)
    if (result.kind, result.name) != (step.kind, step.name):
        raise RefusedError(f"the build of {step.name} says that it is of {result.kind} {result.name}.")
    done.builds.append(result)


def _failed(step: PlanStep, done: Progress) -> bool:
    """Whether there is nothing to judge: a model whose build failed left no bundle. Datasets are made again anyway."""
    return step.kind == "model" and any(b.name == step.name and b.outcome == "failed" for b in done.builds)


def _lease(step: PlanStep, done: Progress) -> LeaseEnd | None:
    """What the step's build says that it took."""
    return next((b.lease for b in done.builds if (b.kind, b.name) == (step.kind, step.name)), None)


def voucher(submission: Submission, session: Session) -> Voucher:
    """Who stands for the submission's bundles: its run, where it may."""

    def vouch(bundle: str) -> Provenance | None:
        store = ArtifactStore.of(session.workspace)
        return provenance_of(store, submission, bundle) if submission.standing.vouched else None

    return vouch


def _subject(store: ArtifactStore, judged: Judged) -> JudgedSubject:
    subject = judged.verdict.subject
    return JudgedSubject(kind=subject.kind, name=subject.name, verdict=keep(store, judged), pages=judged.pages)
