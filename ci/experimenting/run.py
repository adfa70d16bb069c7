"""One experiment from its cause to its row in the ledger: built, judged, proposed or refused. It may run twice.

What ran before is reused: a build by its key, a judgement of the same bytes, a branch that says so already. The row is
written last.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ci.experimenting.challenge import Challenge, build, challenge, refusal, refused, reported, spent
from ci.experimenting.commits import keep_commit
from ci.experimenting.local import Forge, Proposed
from ci.experimenting.proposal import proposal
from ci.judging.run import Judged, cost_row, last_lease, measured, recorded
from ci.judging.snapshots import snapshot_of
from ci.programs import record
from ci.pull_request import write_pages
from dagster_project.domain.base import canonical_json
from dagster_project.domain.build import BuildResult
from dagster_project.domain.errors import MachineryError, RefusedError, UsageError
from dagster_project.domain.experimenting import LEDGER, Due, Ending, ExperimentRow
from dagster_project.domain.origin import Origin
from dagster_project.domain.snapshot import Snapshot
from dagster_project.domain.verdict import Outcome, Verdict
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.ledger import Ledger
from dagster_project.storage.store import ArtifactStore

Builder = Callable[[Challenge, bool], BuildResult]


@dataclass(frozen=True)
class Answer:
    """What was said of a challenger, and from what."""

    judged: Judged
    build: BuildResult | None = None
    snapshot: Snapshot | None = None
    labelled: int | None = None
    waiting: bool = False


def experiment(
    repo: Path,
    base: str,
    model: str,
    due: Due,
    now: datetime,
    forge: Forge,
    *,
    quiet: bool = False,
    builder: Builder = build,
) -> ExperimentRow:
    """Do what is due of ``model`` on the rules of commit ``base``; the row that the ledger has of it now.

    Raises:
        UsageError: another experiment of the model runs on this machine.
        UserFileError: a file of the base is wrong.
    """
    with _one_at_a_time(Workspace(repo=repo), model):
        tried = challenge(repo, base, model, due, now)
        try:
            keep_commit(repo, f"experiments/{model}", tried.head)
            row = _finished(tried, answered(tried, lambda: builder(tried, quiet)), forge)
        except MachineryError as error:
            row = row_of(tried, "broken", (str(error),))
        append(tried.session.workspace, row)
    return row


def answered(tried: Challenge, run: Callable[[], BuildResult]) -> Answer:
    """The verdict: on a challenger, or on why none was built.

    Raises:
        MachineryError: something broke, so nothing has been decided.
    """
    from dagster_project.data.labelled import labelled_rows

    session = tried.session
    spec, workspace = session.head.specs[tried.model], session.workspace
    try:
        snapshot = snapshot_of(spec.contract.name, session.head, workspace)
        labelled = labelled_rows(snapshot, spec.target)
        why = spent(tried, snapshot)
    except RefusedError as error:
        return Answer(_judged(refusal(tried, [refused("data", str(error))])))
    if why:
        found = refused("holdout budget", why, "Nothing is built until then.")
        return Answer(_judged(refusal(tried, [found], snapshot)), None, snapshot, labelled, waiting=True)
    built = run()
    if built.outcome == "failed":
        stopped = [finding for finding in built.findings if finding.outcome in (Outcome.FAILED, Outcome.BROKEN)]
        findings = stopped or [refused("build", "The build was refused.")]
        return Answer(_judged(refusal(tried, findings, built.snapshot)), built, snapshot, labelled)
    lease = last_lease(ArtifactStore.of(workspace), tried.model)
    judged = measured(session, tried.model, None, recorded(workspace), lease)
    Ledger(workspace.ledger, "builds").append(cost_row(judged))
    return Answer(judged, built, snapshot, labelled)


def _finished(tried: Challenge, answer: Answer, forge: Forge) -> ExperimentRow:
    """Kept, written down where operators look, and proposed where it passed."""
    workspace, verdict = tried.session.workspace, answer.judged.verdict
    store = ArtifactStore.of(workspace)
    store.put(canonical_json(verdict.model_dump(mode="json")))
    report = reported(tried, answer.judged, answer.build)
    folder = workspace.reports / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-experiment-{tried.model}"
    files, _ = write_pages(store, report, [answer.judged], folder)
    record(workspace, *files, origin=Origin(commit=tried.head, launcher="experiment"))
    if verdict.outcome == "broken":
        return row_of(tried, "broken", verdict.reasons, answer, report=str(folder))
    if verdict.promotable:
        done = forge.propose(proposal(tried, verdict, report, store))
        words = (done.words,) if done.words else ()
        return row_of(tried, done.ending, words, answer, done, str(folder))
    pull = None if answer.waiting else forge.tell(tried.model, tried.base, refused_words(verdict), tried.now)
    ending: Ending = "waiting" if answer.waiting else "refused"
    return row_of(tried, ending, verdict.reasons, answer, Proposed(ending, pull=pull), str(folder))


def refused_words(verdict: Verdict) -> str:
    """What is said on an open pull request when a newer challenger did not pass."""
    rows = f" (snapshot {verdict.snapshot[:19]})" if verdict.snapshot else ""
    return (
        f"A challenger on newer rows{rows} was refused: {' '.join(verdict.reasons)} Look again before you merge this."
    )


def row_of(
    tried: Challenge,
    ending: Ending,
    words: tuple[str, ...],
    answer: Answer | None = None,
    done: Proposed | None = None,
    report: str | None = None,
) -> ExperimentRow:
    """The ledger's row."""
    verdict = answer.judged.verdict if answer else None
    lock = tried.session.base.locks.get(tried.model)
    return ExperimentRow(
        model=tried.model,
        now=tried.now,
        ending=ending,
        causes=tried.due.causes,
        reasons=tried.due.reasons,
        words=words,
        base=tried.base,
        head=tried.head,
        champion=lock.onnx if lock else None,
        challenger=verdict.challenger_onnx if verdict else None,
        snapshot=answer.snapshot.digest if answer and answer.snapshot else None,
        labelled=answer.labelled if answer else None,
        verdict=verdict.content_digest() if verdict else None,
        commit=done.commit if done else None,
        pull=done.pull if done else None,
        report=report,
        seconds=round(time.perf_counter() - tried.begun, 3),
    )


def append(workspace: Workspace, row: ExperimentRow) -> None:
    """Write the row down, unless it is there."""
    ledger = Ledger(workspace.ledger, LEDGER)
    ledger.append(row.model_dump(mode="json"))


def _judged(verdict: Verdict) -> Judged:
    return Judged(verdict, {}, 0.0)


@contextmanager
def _one_at_a_time(workspace: Workspace, model: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = workspace.home / "locks" / f"experiment-{model}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise UsageError(f"{model}: another experiment of it runs here. Wait for it.") from None
