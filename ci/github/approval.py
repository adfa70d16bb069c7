"""Which commits the trusted launcher builds: by itself what is harmless, all else on a maintainer's word.

The word is a label on one commit, which the next push takes away.
"""

from ci.forge.values import PullRequest
from ci.github.admission import obstacles
from ci.github.declarations import builds_in
from ci.github.standing import TRAIN_LABEL
from ci.github.submission import MAIN, Desk
from ci.heads import merge_base
from ci.planning import make_plan
from dagster_project.domain.base import StrictModel
from dagster_project.domain.errors import RefusedError, UserFileError

MAINTAINERS = ("admin", "maintain", "write")


class Admission(StrictModel):
    """Whether the launcher builds a commit, what, and else why not."""

    admitted: bool
    builds: tuple[dict[str, str], ...] = ()
    reasons: tuple[str, ...] = ()


def admit(desk: Desk, number: int, head: str, labelled_by: str = "") -> Admission:
    """``labelled_by``: who set the label; empty: nobody did, and the commit was pushed.

    Raises:
        RefusedError: whoever set the label may not, it is gone, or the pull request has another head by now.
    """
    pull = desk.forge.pull(number)
    if labelled_by:
        _check_label(desk, pull, head, labelled_by)
    if (pull.head, pull.state, pull.base_branch) != (head, "open", MAIN):
        return Admission(admitted=False, reasons=(f"#{number} is not open for {MAIN} at {head[:12]} any more.",))
    tip = desk.fetch_main()
    desk.fetch_pull(number)
    base = merge_base(desk.repo, tip, head) or tip
    why = () if labelled_by else obstacles(desk.repo, pull.is_fork, base, head).reasons
    return Admission(admitted=False, reasons=why) if why else _planned(desk, base, head)


def withdraw(desk: Desk, number: int) -> bool:
    """Take the approval away; whether there was one."""
    return desk.forge.unlabel(number, TRAIN_LABEL)


def _check_label(desk: Desk, pull: PullRequest, head: str, by: str) -> None:
    right = desk.forge.permission(by)
    if right not in MAINTAINERS:
        withdraw(desk, pull.number)
        raise RefusedError(f"{by} has the right '{right}' here; {TRAIN_LABEL} is for who may write. The label is off.")
    if pull.head != head or TRAIN_LABEL not in pull.labels:
        raise RefusedError(
            f"#{pull.number} is not at {head[:12]} with {TRAIN_LABEL} any more. Look at it, and label again."
        )


def _planned(desk: Desk, base: str, head: str) -> Admission:
    try:
        plan = make_plan(desk.repo, base, head)
    except UserFileError as error:
        return Admission(admitted=False, reasons=tuple(str(problem) for problem in error.problems))
    if plan.refused:
        return Admission(admitted=False, reasons=("The plan is refused: the comment on the pull request says why.",))
    return Admission(admitted=True, builds=builds_in(plan))
