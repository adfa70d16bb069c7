"""What a pull request will do, told before anything is spent: planned from git objects, nothing of them is run."""

from datetime import UTC, datetime
from typing import NamedTuple

from ci.git import GitTree
from ci.github.outbox import Outbox
from ci.github.submission import Desk, Submission
from ci.github.telling import tell
from ci.planning import make_plan
from ci.report.model import Node, Report, lineage_of
from dagster_project.domain.errors import UserFileError
from dagster_project.domain.loading import load_repository
from dagster_project.domain.plan import Plan
from dagster_project.domain.workspace import Workspace
from dagster_project.storage.store import ArtifactStore


class JudgedBefore(NamedTuple):
    """An outbox by its digest, the digest of the report as it was told, and the run that holds its pages."""

    digest: str
    outbox: Outbox
    report: str
    page: str


def announce(desk: Desk, run_id: int, *, ended: bool = False) -> bool:
    """Tell a head's plan, or again what was judged of it; whether an ``ended`` run's builds are to be judged.

    Nothing is told where no open pull request has the head any more.
    """
    submission = desk.submission(run_id)
    if submission is None:
        return False
    if ended:
        return not _tell_judged(desk, submission) and is_judged_by(submission, planned(desk, submission))
    tell_known(desk, submission)
    return False


def tell_broken(desk: Desk, run_id: int, page: str) -> bool:
    """Say that judging itself broke, in the run at ``page``, unless the head was judged by now; whether it was said."""
    submission = desk.submission(run_id)
    if submission is None or _tell_judged(desk, submission):
        return False
    what = (f"Judging ended without a verdict: look at {page} and run it again.",)
    report = planned(desk, submission).model_copy(update={"pending": False, "broken": what})
    tell_last(desk, submission, report, preview=bool(submission.standing.reasons))
    return True


def tell_known(desk: Desk, submission: Submission) -> None:
    """Tell what was judged of a head, else its plan. A verdict is written down before it is told: it is looked for once
    more, in case that it came meanwhile."""
    if not _tell_judged(desk, submission):
        tell_last(desk, submission, planned(desk, submission), preview=bool(submission.standing.reasons))
        _tell_judged(desk, submission)


def tell_last(
    desk: Desk, submission: Submission, report: Report, preview: bool, digest: str = "", page: str = ""
) -> None:
    """Tell it; where a newer head came meanwhile, tell that one's after it."""
    if not tell(desk.forge, submission, report, preview, digest, page):
        newest = desk.newest(submission)
        if newest:
            tell_known(desk, newest)


def _tell_judged(desk: Desk, submission: Submission) -> bool:
    store = ArtifactStore.of(Workspace(repo=desk.repo))
    judged = judged_before(store, submission)
    if judged:
        report = Report.from_json(store.get(judged.report))
        tell_last(desk, submission, report, judged.outbox.preview, judged.digest, judged.page)
    return judged is not None


def is_judged_by(submission: Submission, report: Report) -> bool:
    """Whether it is this submission's run whose end is waited for. Pure.

    Where there is nothing to do, that is the pull request's own; where the launcher builds by itself, the launcher's.
    """
    to_do = bool(report.plan and not report.plan.refused and report.plan.steps)
    if submission.launcher == "train":
        return to_do
    standing = submission.standing
    return not (to_do and (standing.launched or standing.unseen))


def planned(desk: Desk, submission: Submission) -> Report:
    """The report before anything has run; problems in files are in it, not raised."""
    common = {
        "created": datetime.now(UTC),
        "repository": desk.forge.repository,
        "base": submission.base,
        "head": submission.head,
        "notes": submission.standing.reasons,
    }
    try:
        plan = make_plan(desk.repo, submission.base, submission.head)
    except UserFileError as error:
        return Report(**common, problems=tuple(error.problems))
    lineage = () if plan.refused else _lineage(desk, submission, plan)
    return Report(**common, pending=not plan.refused, plan=plan, lineage=lineage)


def judged_before(store: ArtifactStore, submission: Submission) -> JudgedBefore | None:
    """What was published of this head on this base. A preview is judged again where more may be said by now."""
    ref = store.get_ref(judged_ref(submission.base, submission.head))
    if ref is None:
        return None
    found = JudgedBefore(ref["outbox"], Outbox.from_json(store.get(ref["outbox"])), ref["report"], ref["page"])
    preview, launcher = found.outbox.preview, found.outbox.launcher
    stale = preview and (submission.standing.vouched or launcher != submission.launcher)
    return None if stale else found


def judged_ref(base: str, head: str) -> str:
    """Name of the reference that points at a head's outbox."""
    return f"judged/{base}/{head}"


def _lineage(desk: Desk, submission: Submission, plan: Plan) -> tuple[Node, ...]:
    head = load_repository(GitTree(desk.repo, submission.head))
    return lineage_of(head, frozenset(step.name for step in plan.steps))
